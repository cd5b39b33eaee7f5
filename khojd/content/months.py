"""Names of months in the languages notes are most often written in, as regular expressions and numbers."""

import re

_NAMES = {
    1: "january jan januar jänner janvier janv enero ene gennaio janeiro januari januar styczeń stycznia",
    2: "february feb februar feber février févr fév febrero febbraio fevereiro fev februari",
    3: "march mar märz mär mrz mars marzo março marco maart mrt",
    4: "april apr avril avr abril abr aprile",
    5: "may mai mayo maggio maio mei maj",
    6: "june jun juni juin junio giugno giu junho",
    7: "july jul juli juillet juil julio luglio lug julho",
    8: "august aug août aout agosto augustus augusti",
    9: "september sep sept septembre septiembre setiembre settembre setembro",
    10: "october oct oktober okt octobre octubre ottobre ott outubro",
    11: "november nov novembre noviembre novembro",
    12: "december dec dezember dez décembre déc decembre diciembre dic dicembre dezembro",
}

MONTHS: dict[str, int] = {name: month for month, names in _NAMES.items() for name in names.split()}

MONTH = "(?:" + "|".join(sorted(map(re.escape, MONTHS), key=len, reverse=True)) + ")"
