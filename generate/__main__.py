"""Writes everything that is made from the protocol's definition."""

from generate.files import SCHEMAS, files

SCHEMAS.mkdir(exist_ok=True)
made = files()
for path in set(SCHEMAS.iterdir()) - set(made):
    path.unlink()
for path, text in made.items():
    path.write_text(text)
