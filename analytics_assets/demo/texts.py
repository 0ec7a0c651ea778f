"""What people write into time entries: descriptions, custom fields, tags.

Only pools of texts and values belong here, ordinary ones and those that break careless readers. Which entry
gets which is decided in `entries`.
"""

import random

from analytics_assets.demo.records import Record

# The point of these texts is that they are in many scripts.
# ruff: noqa: RUF001

ORDINARY = (
    "Weekly meeting",
    "Code review",
    "Sprint planning",
    "Fix the import job",
    "Kundentermin vor Ort",
    "Angebot überarbeitet",
    "Réunion d'équipe",
    "Rédaction du cahier des charges",
    "Συνάντηση με τον πελάτη",
    "Διόρθωση σφαλμάτων",
    "Подготовка отчёта",
    "Зустріч із замовником",
    "設計レビュー",
    "打ち合わせ",
    "撰寫文件",
    "مراجعة التصميم",
    "اجتماع الفريق",
    "Reunião com a diretoria",
    "Przegląd umów",
    "ग्राहक से बातचीत",
    "Invoice run",
    "Onboarding of a new colleague",
    "Data cleaning",
    "Answered support mails",
    "Workshop",
    "Research",
)
ODD = (
    "",
    "",
    "2024-01-01 10:00",
    "12:00",
    "2024-02-30",
    "PT8H",
    "00123",
    "1e5",
    "true",
    "null",
    "None",
    "NaN",
    'He said "done", then left',
    "It's O'Brien's",
    "comma, semicolon; pipe | and tab\there",
    "first line\nsecond line\r\nthird line",
    "back\\slash \\n and C:\\temp\\",
    "=SUM(A1:A9)",
    "'; DROP TABLE time_entries; --",
    "{{ ref('users') }} ${HOME} %s {0}",
    "<script>alert(1)</script> &amp; <b>",
    '{"data": [1, 2]}',
    "🚀 Release 🎉👩‍💻",
    "e\u0301 decomposed, é composed",
    "zero\u200bwidth and no\u00a0break",
    "\u202eright to left\u202c",
    "  spaces around  ",
    "line separator\u2028and paragraph\u2029",
    "x" * 3000,
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 beyond the BMP 𠮷野家",
)
TIME_OFF = ("Vacation", "Urlaub", "Congés", "Sick leave", "Άδεια", "有給休暇", "Parental leave")

# (suffix of the id, name, type, values)
CUSTOM_FIELDS: tuple[tuple[str, str, str, tuple[object, ...]], ...] = (
    ("0000c1", "Ticket", "TXT", ("OPS-17", "DEV-2048", "", None, "00042", "№ 5/б")),
    ("0000c2", "Kilometres", "NUMBER", (0, 12, 37.5, 1204, -3, None)),
    ("0000c3", "On site", "CHECKBOX", (True, False, None)),
    ("0000c4", "Mood", "DROPDOWN_SINGLE", ("good", "so-so", "😴", None)),
    ("0000c5", "Skills", "DROPDOWN_MULTIPLE", ([], ["SQL"], ["SQL", "Python"], ["Ελληνικά", "a, b"], None)),
    ("0000c6", "Document", "LINK", ("https://docs.fernblick.example/a?b=c&d=e#f", None)),
)


def description(chance: random.Random) -> str:
    """A description: mostly ordinary, often with a ticket number, now and then one that hurts."""
    dice = chance.random()
    if dice < 0.05:
        return ODD[int(dice * 20 * len(ODD))]
    text = ORDINARY[int(chance.random() * len(ORDINARY))]
    return f"{text} #{int(dice * 9000)}" if dice < 0.5 else text


def custom_field_values(chance: random.Random, mark: str, entry_id: str) -> list[Record] | None:
    """The custom fields of an entry: null, none, or a few of them in any order."""
    dice = chance.random()
    if dice < 0.6:
        return None if dice < 0.2 else []
    values = []
    for _ in range(1 if dice < 0.85 else 2):
        suffix, name, kind, pool = CUSTOM_FIELDS[int(chance.random() * len(CUSTOM_FIELDS))]
        values.append(
            {
                "customFieldId": mark + suffix,
                "timeEntryId": entry_id,
                "value": pool[int(chance.random() * len(pool))],
                "name": name,
                "type": kind,
            }
        )
    return values


def tag_ids(chance: random.Random, tags: list[str]) -> list[str] | None:
    """The tags of an entry: mostly null, sometimes an empty array, otherwise one to three."""
    dice = chance.random()
    if dice < 0.55:
        return None
    if dice < 0.65 or not tags:
        return []
    return chance.sample(tags, min(len(tags), 1 + int((dice - 0.65) * 8.5)))
