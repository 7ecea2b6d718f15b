"""A user's pictures and table become a data set: ``python -m core.import_data --help``.

listing = list_source(path)                             # source: folder, zip or uploads
sheet = read_sheet(data, "table.csv")                   # sheet
rule = guess_rule(paths, sheet)                         # matching
matching = match(paths, sheet, rule)
examined = examine_all(listing.pictures)                # examine
plan = make_plan(listing.pictures, examined, sheet, matching, choices)   # plan
findings = preflight(plan)                              # preflight
write_dataset(plan, findings, workspace / "data", name)  # write
"""
