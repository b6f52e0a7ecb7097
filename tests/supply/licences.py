"""Under which licences the packages stand, and whether those may be used beside Apache-2.0 in a public service."""

import re
from importlib.metadata import Distribution
from typing import Final

ALLOWED: Final = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",
        "PSF-2.0",
        "Python-2.0",
        "Zlib",
        "ZPL",
    }
)
"""None of them asks for our own source. `BSD`: which of its forms is not said."""
_SAID: Final = (
    # What older packages write in plain words, or in a classifier.
    (r"apache", "Apache-2.0"),
    (r"3-clause|new bsd|modified bsd", "BSD-3-Clause"),
    (r"2-clause|simplified", "BSD-2-Clause"),
    (r"\bbsd\b", "BSD"),
    (r"mozilla|mpl", "MPL-2.0"),
    (r"python software foundation|psf", "PSF-2.0"),
    (r"repoze|zpl", "ZPL"),
    (r"\bisc\b", "ISC"),
    (r"\bmit\b|expat", "MIT"),
)
_TEXT: Final = 60
"""What is longer is a licence's text, not its name."""


def licences_of(package: Distribution) -> set[str]:
    """The licences that a package names; empty where it names none that is known."""
    told = package.metadata
    if "License-Expression" in told:
        expression = told["License-Expression"].replace("(", "").replace(")", "")
        return set(re.split(r"\s+(?:AND|OR|WITH)\s+", expression))
    named = [value.split(" :: ")[-1] for value in told.get_all("Classifier") or [] if value.startswith("License ::")]
    named += [value for value in told.get_all("License") or [] if len(value) <= _TEXT]
    return {found for name in named if (found := _known(name))}


def _known(name: str) -> str | None:
    if name in ALLOWED:
        return name
    return next((licence for words, licence in _SAID if re.search(words, name.lower())), None)
