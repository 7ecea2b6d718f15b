"""Tables 2 and 3 and figure 7 as text, beside the paper's."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.candidates import CANDIDATES
from core.markdown import table
from core.property_features import BOTH, FLAT, LABELS, REPRESENTATIONS, VAE, VAE_OWN
from core.property_splits import LEFT_OUT, NEW, RANDOM, RECOGNITION

# The paper's Table 2 (random patches): R2 and MAPE, %; its Table 3 and figure 7: error of Ys, %.
PAPER_TABLE_2 = {
    ("linear", "uts_mpa"): (0.89, 20.0),
    ("linear", "ys_mpa"): (0.88, 14.0),
    ("svr_rbf", "uts_mpa"): (0.97, 10.0),
    ("svr_rbf", "ys_mpa"): (0.98, 5.0),
}
PAPER_TABLE_3 = {(VAE, "ys_mpa"): 8.02, (FLAT, "ys_mpa"): 18.22}
PAPER_NOTE = (
    "The paper's strengths are from compression tests of six castings and its micrographs are not "
    "public, so its figures stand here for comparison of the method only."
)
FIGURE_7 = (
    "Figure 7 and the paper's Table 3: one casting left out, SVR on the patches of the others, "
    "mean over its patches"
)
# Data, split and what a row is -> title of the column.
COLUMNS = {
    ("paper", RANDOM, "patches"): "paper's design: random patches (leaking: patches of one "
    "specimen on both sides, and they overlap)",
    ("paper", LEFT_OUT, "patches"): "paper's design: patches of a specimen left out",
    ("paper", LEFT_OUT, "specimens"): "paper's design: mean of a specimen left out",
    ("learned", LEFT_OUT, "specimens"): "data learned from: mean of a specimen left out",
    ("fresh", NEW, "specimens"): "new specimens: one micrograph each, encoder frozen",
}
RECOGNISED = "recognising the specimen (no regression)"
RECOGNISED_NOTE = (
    "Recognising the specimen: kernel logistic regression tells which casting a patch is of, and "
    "that casting's strength is the prediction. It knows nothing of how strength depends on "
    "structure, so what it reaches by random patches is the leak alone."
)
Key = tuple[str, str, str]


def find(rows: Sequence[Mapping[str, Any]], /, **wanted: str) -> Mapping[str, Any] | None:
    """Return the row that has all of these entries, None where there is none."""
    for row in rows:
        if all(row[key] == value for key, value in wanted.items()):
            return row
    return None


def vae_text(content: Mapping[str, Any], which: str = "vae") -> str:
    """Say which VAE latents are of, and what it was trained on."""
    vae = content[which]
    return f"TextureVAE trained on {vae['trained_on']} (weights {vae['sha256'][:8]})"


def data_text(content: Mapping[str, Any]) -> str:
    """Say which data sets stand behind the columns."""
    said = {"paper": "paper's design", "learned": "data learned from", "fresh": "new specimens"}
    return "; ".join(
        f"{label}: {content[name]['name']}, {content[name]['specimens']} specimens"
        for name, label in said.items()
        if content[name] is not None
    )


def regressor_labels(content: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> label of the regressors that there are figures for."""
    recognised = find(content["rows"], regressor=RECOGNITION) is not None
    return CANDIDATES | ({RECOGNITION: RECOGNISED} if recognised else {})


def column_titles(content: Mapping[str, Any]) -> dict[Key, str]:
    """Return the titles of the columns that there are figures for."""
    return {key: title for key, title in COLUMNS.items() if content[key[0]] is not None}


def cell(
    content: Mapping[str, Any], key: Key, representation: str, regressor: str, name: str
) -> str:
    """Return the figures of one regressor on one representation in one column."""
    about = dict(zip(("data", "split", "rows"), key, strict=True))
    about |= {"representation": representation, "regressor": regressor, "property": name}
    return figures_text(find(content["rows"], **about))


def figures_text(row: Mapping[str, Any] | None) -> str:
    """Return a row's figures as a cell."""
    if row is None:
        return "none"
    r2 = "none" if row["r2"] is None else f"{row['r2']:.2f}"
    if row["mape"] is None:
        return f"R2 {r2}"
    return f"R2 {r2}, MAPE {row['mape']:.1f} %, median {row['median_error']:.1f} %"


def tables_text(content: Mapping[str, Any]) -> str:
    """Return Tables 2 and 3 and figure 7 beside the paper's, in Markdown."""
    titles = column_titles(content)
    parts = [
        f"Latents: {vae_text(content)}. Plain VGG19: {content['backbone']}.",
        f"Data: {data_text(content)}.",
    ]
    own = (VAE_OWN,) if content.get("paper_vae") else ()
    if own:
        parts.insert(1, f"Latents of the paper's design: {vae_text(content, 'paper_vae')}.")
    for number, names in (("2", (VAE, *own)), ("3", tuple(n for n in REPRESENTATIONS if n != VAE))):
        for representation in names:
            for column in content["properties"]:
                heading = f"Table {number}. {column['label']} from {LABELS[representation]}"
                parts += [heading, _table(content, titles, representation, column["name"])]
    if content["left_out_casting"]:
        parts += [FIGURE_7, _figure_7(content)]
    parts += [_as_shipped(row) for row in content["as_shipped"]]
    return "\n\n".join([*parts, RECOGNISED_NOTE, PAPER_NOTE])


def _as_shipped(row: Mapping[str, Any]) -> str:
    covered = row["coverage_of_90_percent_interval"]
    said = "none" if covered is None else f"{100 * covered:.0f} %"
    return (
        f"{row['property']} as shipped (kernel ridge on latents and on measured structure, "
        f"weighed), {row['n']} new specimens: {figures_text(row)}; 90 % intervals cover {said}"
    )


def _table(
    content: Mapping[str, Any],
    titles: Mapping[Key, str],
    representation: str,
    name: str,
) -> str:
    rows = []
    for regressor, label in regressor_labels(content).items():
        cells = [cell(content, key, representation, regressor, name) for key in titles]
        paper = PAPER_TABLE_2.get((regressor, name)) if representation in (VAE, VAE_OWN) else None
        beside = "none" if paper is None else f"R2 {paper[0]:.2f}, MAPE {paper[1]:.0f} %"
        rows.append([label, *cells, beside])
    return table(["", *titles.values(), "the paper, random patches"], rows)


def _figure_7(content: Mapping[str, Any]) -> str:
    units = {column["name"]: column["unit"] for column in content["properties"]}
    rows = []
    for found in content["left_out_casting"]:
        name, unit = found["property"], units[found["property"]]
        paper = PAPER_TABLE_3.get((found["representation"], name))
        rows.append(
            [
                found["specimen"],
                name,
                LABELS[found["representation"]],
                f"{found['mean']:.0f} {unit}",
                f"{found['true']:.0f} {unit}",
                f"{found['error']:.1f} %",
                "none" if paper is None else f"{paper:.2f} %",
            ]
        )
    return table(["casting", "property", "from", "predicted", "true", "error", "the paper"], rows)


def summary_text(content: Mapping[str, Any]) -> str:
    """Return what the README shows: every regressor on new specimens, and the leak."""
    rows = []
    for column in content["properties"]:
        for representation, label in REPRESENTATIONS.items():
            cells = [
                _short(content, ("fresh", NEW, "specimens"), representation, name, column["name"])
                for name in CANDIDATES
            ]
            rows.append([column["name"], label, *cells])
    parts = [
        f"Regressors on latents and on plain VGG19 features, tuned alike, by "
        f"`{content['command']}`: median error, %, MAPE, % (R2), on "
        f"{content['fresh']['specimens']} specimens new to encoder and regressors, one micrograph "
        f"each. {vae_text(content)}.",
        table(["property", "from", *CANDIDATES.values()], rows),
    ]
    if content["paper"] is not None:
        parts += [
            "The same by the paper's splits, of the SVR and of a classifier that only recognises "
            "the specimen and repeats its label. In the paper's protocol the VAE has seen "
            f"every micrograph, and labels alone are hidden; {_which_saw(content)}:",
            _by_papers_splits(content),
        ]
    if content["left_out_casting"]:
        parts += [f"{FIGURE_7}:", _figure_7(content)]
    return "\n\n".join(parts)


def _which_saw(content: Mapping[str, Any]) -> str:
    if content.get("paper_vae"):
        return "so it is of the VAE trained on the paper's design"
    return "the VAE here has not seen these castings"


def _by_papers_splits(content: Mapping[str, Any]) -> str:
    keys = list(COLUMNS)[:3]
    trained = {VAE: content["vae"], BOTH: content["vae"], VAE_OWN: content.get("paper_vae")}
    rows = []
    for column in content["properties"]:
        for representation, label in LABELS.items():
            if representation in trained and not trained[representation]:
                continue
            about = trained.get(representation)
            named = label if about is None else f"{label}, trained on {about['trained_on']}"
            cells = [
                _short(content, key, representation, "svr_rbf", column["name"]) for key in keys
            ]
            known = _short(content, keys[0], representation, RECOGNITION, column["name"])
            rows.append([column["name"], named, *cells, known])
    titles = [COLUMNS[key] for key in keys]
    return table(["property", "from", *titles, "random patches: specimen recognised"], rows)


def _short(
    content: Mapping[str, Any], key: Key, representation: str, regressor: str, name: str
) -> str:
    about = dict(zip(("data", "split", "rows"), key, strict=True))
    about |= {"representation": representation, "regressor": regressor, "property": name}
    row = find(content["rows"], **about)
    if row is None or row["median_error"] is None or row["r2"] is None:
        return "none"
    return f"{row['median_error']:.1f}, {row['mape']:.1f} ({row['r2']:.2f})"
