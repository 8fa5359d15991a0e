"""One small file in each publisher's layout, in words written for these tests."""

from __future__ import annotations

import json
from html import escape

RECOMMENDATIONS = (
    "<p><strong>Therapy</strong></p><ol><li>Offer rest to grown people. (<strong>Strong for</strong>)</li>"
    "<li>Avoid strain unless a doctor agrees. (Weak against)</li></ol>"
    "<p><strong>Definition of Rest</strong></p><p>We recommend calling it rest when nobody moves. (Weak for)</p>"
    "<table><thead><tr><th>Drug</th><th>Dose</th></tr></thead><tbody><tr><td>Restol</td><td>3 mg</td></tr></tbody>"
    "<caption>Table 1. Doses</caption></table>"
    "<p><strong>Definitions</strong></p><p>Strong for (or &quot;we recommend offering this&quot;)</p>"
    "<table><tr><td>Final Grade of Recommendation</td><td>High certainty: A</td></tr></table>"
)
NGC = f"""<Version><Section>
<Field FieldID="161" Name="Guideline Title"><FieldValue Value="Example care"/></Field>
<Field FieldID="151" Name="Major Recommendations"><FieldValue Value="{escape(RECOMMENDATIONS)}"/></Field>
<Field FieldID="1" Name="Target Population"><FieldValue Value="Adults"/></Field>
<Field FieldID="3" Name="Contraindications"><FieldValue Value="Broken legs"/></Field>
<Field FieldID="2" Name="Date Released"><FieldValue Value="2006 (revised 2015 Aug)"/></Field></Section></Version>"""
MEDQUAD = """<Document id="7" source="NIDDK" url="https://example.org/a"><Focus>Gout</Focus><QAPairs>
<QAPair pid="1"><Question>What is gout?</Question><Answer>Gout is painful (grade A evidence).</Answer></QAPair>
</QAPairs></Document>"""
USPSTF = json.dumps(
    {
        "specificRecommendations": [
            {
                "id": 1,
                "grade": "I",
                "general": "9",
                "text": "Evidence is lacking.",
                "ageRange": [18, 999],
                "sex": "women",
            }
        ],
        "generalRecommendations": {"9": {"title": "Example: Screening", "topicYear": 2020, "rationale": "<p>Why.</p>"}},
    }
)
MMWR = json.dumps(
    {
        "https://www.cdc.gov/mmwr/volumes/65/su/su6503a1.htm": "[Home](/)\n\n# Prevalence of Rest - Survey, 2010 #\n\n"
        "_Supplements_ / July 8, 2016 / 65(3);1\n\n## Methods ##\n\nOthers recommend rest (grade A recommendation).",
        "https://www.cdc.gov/mmwr/volumes/65/su/su6503a2.htm": "# Guidelines for Rest #\n\nAdults should rest.",
    }
)
NIGERIA = json.dumps(
    {
        "condition_name": "Example",
        "condition_slug": "example",
        "source": "NSTG 2022",
        "introduction": "It occurs.",
        "treatment": {"drug": ["Give the drug."], "adverse_reactions_and_cautions": ["Contraindicated in pregnancy"]},
    }
)
ICD = "\n".join(
    f"{number:05d} {code:<7} {flag} {name:<60} {name}"
    for number, (code, flag, name) in enumerate([("A00", 0, "Cholera"), ("A009", 1, "Cholera, unspecified")], start=1)
)
BEIR = '{"_id": "d1", "title": "Fibre", "text": "Fibre helps."}\n'
JSONL = '{"title": "Rest", "publisher": "Example", "text": "# Rest\\n\\nOffer rest. (Strong for)"}\n'
HTML = (
    "<html><head><title>Rest</title></head><body><main><h1>Rest</h1><p>Offer rest. (Weak for)</p></main></body></html>"
)
MARKDOWN = (
    "---\npublisher: Example\npublished: '2021'\n---\n"
    "# Rest\n\nOffer rest. (Strong for)\n\n| A | B |\n|---|---|\n| 1 | 2 |\n"
)

#: Name of the file, its text, and the reader that knows it.
SAMPLES = {
    "ngc": ("ngc-1.xml", NGC),
    "medquad": ("a/0000007.xml", MEDQUAD),
    "uspstf": ("u.json", USPSTF),
    "mmwr": ("m.json", MMWR),
    "nigeria-stg": ("E.json", NIGERIA),
    "icd10cm": ("icd10cm-order-Jan-2021.txt", ICD),
    "beir": ("set/corpus.jsonl", BEIR),
    "jsonl": ("a.jsonl", JSONL),
    "html": ("a.html", HTML),
    "markdown": ("a.md", MARKDOWN),
}


def pdf(*content: str) -> bytes:
    """A PDF with one page (595 by 842 points) for each content stream; /F1 is Helvetica, /F2 its bold."""
    count = len(content)
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
    ]
    for number, stream in enumerate(content):
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> "
            f"/Contents {6 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n"
    )
    return out + f"{end}startxref\n{len(out)}\n%%EOF\n".encode()


def shown(left: float, top: float, text: str, *, size: float = 10, bold: bool = False) -> str:
    """Operators that show a line of text, `top` points from the top of the page."""
    escaped = text.replace("(", r"\(").replace(")", r"\)")
    return f"BT /F{2 if bold else 1} {size} Tf {left} {842 - top - size} Td ({escaped}) Tj ET\n"


def rule(left: float, right: float, top: float) -> str:
    """Operators that draw a horizontal rule."""
    return f"{left} {842 - top} m {right} {842 - top} l S\n"
