"""The templates, and what they know besides the values of a page.

jinja2 is imported when the first page is made: a host that nobody looks at starts
without it.
"""

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import hydra_notify.page.figures as figures
import hydra_notify.page.static as static
import hydra_notify.page.wording as wording
from hydra_notify.events import build_of
from hydra_notify.page.plots import HEIGHT, WIDTH, plot
from hydra_notify.page.text import first_line, shown, spans

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    def safe(value: object) -> object:
        """What is written into a page, unless it is HTML of ours."""
        if isinstance(value, str) and not isinstance(value, Markup):
            return shown(value)
        return value

    def exactly(value: str) -> Markup:
        """Into a form as it is: it comes back, and has to be found again."""
        return escape(value)

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=PackageLoader("hydra_notify.page"),
        finalize=safe,
        trim_blocks=True,
        lstrip_blocks=True,
        # The files do not change while the host runs.
        auto_reload=False,
    )
    environment.filters.update(
        age=figures.age,
        clock=figures.clock,
        count=figures.count,
        due=figures.due,
        duration=figures.duration,
        exact=figures.exact,
        exactly=exactly,
        first_line=first_line,
        iso=lambda moment: figures.instant(moment).isoformat(),
        part=lambda text: quote(text, safe=""),
        rate=figures.rate,
        spans=spans,
    )
    environment.tests.update(troubled=wording.troubled)
    environment.globals.update(
        asset=static.address,
        build_of=build_of,
        edition=static.edition,
        plot=plot,
        plot_size=(WIDTH, HEIGHT),
        wording=wording,
    )
    return environment


def render(name: str, /, **values: Any) -> "Markup":
    """The template `name`, filled in; it may be put into another one as it is."""
    from markupsafe import Markup

    # All that is not ours in it has been escaped.
    return Markup(_environment().get_template(name).render(values))  # noqa: S704
