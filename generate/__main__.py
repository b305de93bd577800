"""Writes everything that is made from what is defined elsewhere."""

from generate.files import SCHEMAS, files

SCHEMAS.mkdir(exist_ok=True)
made = files()
for path in set(SCHEMAS.iterdir()) - set(made):
    path.unlink()
for path, text in made.items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
