"""Where the invented people live: their zone, currency, working week, holidays and names.

Only facts about places and the calendar belong here, each as short as it may be. Who lives where and works
how much is decided in `people`.
"""

# The point of these names is that they are in many scripts.
# ruff: noqa: RUF001

import datetime as dt
from dataclasses import dataclass
from functools import cache

SATURDAY, SUNDAY, FRIDAY = 5, 6, 4


@dataclass(frozen=True)
class Place:
    """A country as far as a time sheet sees it; holidays by month and day, or by days from Easter Sunday."""

    zone: str
    currency: str
    holidays: str
    easter: str = ""
    weekend: tuple[int, int] = (SATURDAY, SUNDAY)
    summer: tuple[int, ...] = (7, 8)


PLACES: dict[str, Place] = {
    "DE": Place(
        "Europe/Berlin",
        "EUR",
        "01-01 Neujahr, 05-01 Tag der Arbeit, 10-03 Tag der Deutschen Einheit, 12-25 1. Weihnachtstag, 12-26 2. Weihnachtstag",
        "-2 Karfreitag, +1 Ostermontag, +39 Christi Himmelfahrt, +50 Pfingstmontag",
    ),
    "FR": Place(
        "Europe/Paris",
        "EUR",
        "01-01 Jour de l’an, 05-01 Fête du Travail, 07-14 Fête nationale, 08-15 Assomption, 11-01 Toussaint, 12-25 Noël",
        "+1 Lundi de Pâques, +39 Ascension",
    ),
    "GB": Place(
        "Europe/London",
        "GBP",
        "01-01 New Year’s Day, 12-25 Christmas Day, 12-26 Boxing Day",
        "-2 Good Friday, +1 Easter Monday",
    ),
    "PL": Place(
        "Europe/Warsaw",
        "PLN",
        "01-01 Nowy Rok, 01-06 Trzech Króli, 05-03 Święto Konstytucji, 11-11 Święto Niepodległości, 12-25 Boże Narodzenie",
        "+1 Poniedziałek Wielkanocny, +60 Boże Ciało",
    ),
    "UA": Place(
        "Europe/Kyiv",
        "UAH",
        "01-01 Новий рік, 03-08 Міжнародний жіночий день, 08-24 День незалежності, 12-25 Різдво Христове",
    ),
    "GR": Place(
        "Europe/Athens",
        "EUR",
        "01-01 Πρωτοχρονιά, 01-06 Θεοφάνεια, 03-25 Εικοστή Πέμπτη Μαρτίου, "
        "08-15 Κοίμηση της Θεοτόκου, 10-28 Ημέρα του Όχι, 12-25 Χριστούγεννα",
    ),
    "US": Place(
        "America/New_York",
        "USD",
        "01-01 New Year’s Day, 06-19 Juneteenth, 07-04 Independence Day, 11-11 Veterans Day, 12-25 Christmas Day",
    ),
    "CA": Place(
        "America/Vancouver",
        "CAD",
        "01-01 New Year’s Day, 07-01 Canada Day, 09-30 Truth and Reconciliation, 12-25 Christmas Day, 12-26 Boxing Day",
        "-2 Good Friday",
    ),
    "BR": Place(
        "America/Sao_Paulo",
        "BRL",
        "01-01 Confraternização Universal, 04-21 Tiradentes, 09-07 Independência, 11-15 Proclamação da República, 12-25 Natal",
        "-47 Carnaval, -2 Sexta-feira Santa",
        summer=(1, 2),
    ),
    "EG": Place(
        "Africa/Cairo",
        "EGP",
        "01-07 عيد الميلاد, 04-25 عيد تحرير سيناء, 07-23 عيد الثورة, 10-06 عيد القوات المسلحة",
        weekend=(FRIDAY, SATURDAY),
    ),
    "IN": Place(
        "Asia/Kolkata",
        "INR",
        "01-26 गणतंत्र दिवस, 08-15 स्वतंत्रता दिवस, 10-02 गांधी जयंती, 12-25 Christmas",
        summer=(5, 6),
    ),
    "JP": Place(
        "Asia/Tokyo",
        "JPY",
        "01-01 元日, 02-11 建国記念の日, 04-29 昭和の日, 05-03 憲法記念日, 05-05 こどもの日, 08-11 山の日, "
        "11-03 文化の日, 11-23 勤労感謝の日",
        summer=(8,),
    ),
    "TW": Place(
        "Asia/Taipei",
        "TWD",
        "01-01 元旦, 02-28 和平紀念日, 10-10 國慶日",
        summer=(2,),
    ),
    "NZ": Place(
        "Pacific/Auckland",
        "NZD",
        "01-01 New Year’s Day, 02-06 Waitangi Day, 04-25 Anzac Day, 12-25 Christmas Day",
        "-2 Good Friday, +1 Easter Monday",
        summer=(1,),
    ),
}

# (name, the same in Latin letters, place)
NAMES: tuple[tuple[str, str, str], ...] = (
    ("Jürgen Müller", "juergen.mueller", "DE"),
    ("Zoë Dußmann-Çelik", "zoe.dussmann", "DE"),
    ("Aleksandra Wójcik", "aleksandra.wojcik", "PL"),
    ("Олена Шевченко", "olena.shevchenko", "UA"),
    ("Ελένη Παπαδοπούλου", "eleni.papadopoulou", "GR"),
    ("佐藤 健一", "kenichi.sato", "JP"),
    ("ليلى حسن", "leila.hassan", "EG"),
    ("Mary-Jane O’Neill", "maryjane.oneill", "GB"),
    ("François Lefèvre", "francois.lefevre", "FR"),
    ("José Antônio da Conceição", "jose.conceicao", "BR"),
    ("प्रिया शर्मा", "priya.sharma", "IN"),
    ("Aroha Ngāta", "aroha.ngata", "NZ"),
    ("林 美玲", "meiling.lin", "TW"),
    ("Terrence “TJ” Jackson Jr.", "tj.jackson", "US"),
    ("Siobhán Mac Gabhann", "siobhan.macgabhann", "GB"),
    ("Dmytro Kovalenko", "dmytro.kovalenko", "UA"),
    ("Nguyễn Thị Ánh", "anh.nguyen", "CA"),
    ("Łukasz Żółć", "lukasz.zolc", "PL"),
    ("Ægir Þórsson", "aegir.thorsson", "DE"),
    ("Νίκος Αντωνίου", "nikos.antoniou", "GR"),
    ("Chloé Ménard", "chloe.menard", "FR"),
    ("山田 花子", "hanako.yamada", "JP"),
    ("Wilhelmina van der Berg-de Vries", "mina.vanderberg", "DE"),
    ("أحمد منصور", "ahmed.mansour", "EG"),
    ("Grace Oyelaran", "grace.oyelaran", "US"),
    ("Тарас Бондар", "taras.bondar", "UA"),
    ("Bo", "bo", "CA"),
    ("Rangi Te Aho", "rangi.teaho", "NZ"),
    ("Renata Figueirôa", "renata.figueiroa", "BR"),
    ("Arjun Iyer", "arjun.iyer", "IN"),
)


@cache
def easter(year: int) -> dt.date:
    """Easter Sunday of the Gregorian year (Meeus, Jones, Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    rest = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    month, day = divmod(h + rest - 7 * ((a + 11 * h + 22 * rest) // 451) + 114, 31)
    return dt.date(year, month, day + 1)


@cache
def holidays(place: str, year: int) -> dict[dt.date, str]:
    """The holidays of a place in a year, by day."""
    fixed, moving = _split(PLACES[place].holidays), _split(PLACES[place].easter)
    return {dt.date.fromisoformat(f"{year}-{day}"): name for day, name in fixed} | {
        easter(year) + dt.timedelta(int(days)): name for days, name in moving
    }


def season(place: str, day: dt.date) -> float:
    """How much is worked at that time of the year: less in summer, little between Christmas and New Year."""
    if (day.month == 12 and day.day >= 23) or (day.month == 1 and day.day <= 4):
        return 0.3
    return 0.7 if day.month in PLACES[place].summer else 1.0


def _split(days: str) -> list[list[str]]:
    return [day.split(" ", 1) for day in days.split(", ") if day]
