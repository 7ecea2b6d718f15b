"""The page that asks for the password: no script, nothing from elsewhere, light and dark."""

import html

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>MicroDesign: log in</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 "Source Sans", system-ui, sans-serif; }}
body {{ margin: 0; display: grid; place-items: center; min-height: 100vh; }}
main {{ width: min(22rem, calc(100vw - 2rem)); }}
h1 {{ font-size: 1.75rem; margin: 0 0 .25rem; }}
label {{ display: block; margin: 1rem 0 .25rem; font-weight: 600; }}
input, button {{ box-sizing: border-box; width: 100%; font: inherit; padding: .6rem .75rem;
  border-radius: .5rem; border: 1px solid #767676; }}
button {{ margin-top: 1rem; border-color: #0072B2; background: #0072B2; color: #fff; }}
:focus-visible {{ outline: 3px solid #E69F00; outline-offset: 2px; }}
.said {{ border-left: 4px solid #D55E00; padding-left: .75rem; }}
</style>
</head>
<body>
<main>
<h1>MicroDesign</h1>
<p>This server asks for a password. Whoever runs it can tell you.</p>
{said}<form method="post" action="">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
  autofocus maxlength="1000">
<button type="submit">Log in</button>
</form>
</main>
</body>
</html>
"""


def login_page(said: str = "") -> str:
    """Return the page, with what came of the last attempt."""
    box = f'<p class="said" role="alert">{html.escape(said)}</p>\n' if said else ""
    return _PAGE.format(said=box)
