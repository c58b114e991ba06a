"""A board of postings to search, each under a short name: in many languages, with all that postings hold."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from backend.tests.client import Client

Json = dict[str, Any]


def pay(low: float | None = None, high: float | None = None, currency: str | None = None) -> Json:
    named = {"min": low, "max": high, "currency": currency}
    return {name: value for name, value in named.items() if value is not None}


def on(day: int) -> str:
    """A day in May 2026."""
    return f"2026-05-{day:02}T12:00:00Z"


POSTINGS: dict[str, Json] = {
    "cpp": {
        "title": "Senior C++ Engineer",
        "company": "Initech",
        "location": "Berlin, Germany",
        "description": "Low-latency trading. Nothing remote about it.",
        "skills_required": ["C++", "Linux"],
        "remote_type": "onsite",
        "source_platform": "LinkedIn",
        "salary_range": pay(80_000, 100_000, "EUR"),
        "posted_date": on(30),
    },
    "c": {
        "title": "C Programmer",
        "company": "Initech GmbH",
        "location": "München, Germany",
        "description": "Firmware, the old way.",
        "skills_required": ["C", "Linux"],
        "source_platform": "Indeed",
        "salary_range": pay(60_000, None, "EUR"),
        "posted_date": on(29),
    },
    "csharp": {
        "title": "C# Developer",
        "company": "Globex",
        "location": "London",
        "description": "Desktop tools on .NET, tested by engineers.",
        "skills_required": ["C#", ".NET"],
        "remote_type": "hybrid",
        "source_platform": "Indeed",
        "salary_range": pay(None, 55_000, "GBP"),
        "posted_date": on(28),
    },
    "aspnet": {
        "title": "ASP.NET Engineers",
        "company": "Globex Ltd.",
        "location": "Manchester, UK",
        "description": "You'll own the company's web shop; C++ is a plus.",
        "skills_required": ["ASP.NET", "sql"],
        "remote_type": "Hybrid",
        "source_platform": "indeed",
        "salary_range": pay(50_000, 70_000, "GBP"),
        "posted_date": on(27),
    },
    "go": {
        "title": "Go Engineer",
        "company": "Hooli",
        "location": "San Francisco, CA",
        "description": "Builds distributed systems. Visa sponsorship.",
        "skills_required": ["Go", "Kubernetes"],
        "remote_type": "remote",
        "source_platform": "LinkedIn",
        "salary_range": pay(150_000, 200_000, "USD"),
        "posted_date": on(26),
    },
    "r": {
        "title": "R Analyst",
        "company": "Umbrella",
        "location": "San Jose, CA",
        "description": "Statistics for drug trials, on site in San Jose; no trips to Francisco's.",
        "skills_required": ["R", "Statistics"],
        "source_platform": "Monster",
        "salary_range": pay(90_000, 90_000, "USD"),
        "posted_date": on(25),
    },
    "ml": {
        "title": "Machine Learning Engineer",
        "company": "OpenAI Labs",
        "location": "San Francisco, CA",
        "description": "Large models on many GPUs, behind REST APIs.",
        "skills_required": ["Python", "Machine Learning", "SQL"],
        "remote_type": "hybrid",
        "source_platform": "LinkedIn",
        "salary_range": pay(140_000, 200_000, "USD"),
        "posted_date": on(24),
    },
    "machinist": {
        "title": "Machinist",
        "company": "Acme",
        "location": "Detroit, MI",
        "description": "Run a machine. Learning on the job. Python is the name of the machine.",
        "skills_required": ["Machine Learning Platforms"],
        "remote_type": "onsite",
        "source_platform": "Monster",
        "salary_range": pay(40_000.5, 60_000.75, "USD"),
        "posted_date": on(23),
    },
    "paulo": {
        "title": "Desenvolvedor Python Sênior",
        "company": "Itaú Unibanco",
        "location": "São Paulo, Brasil",
        "description": "Construção de APIs. Inglês avançado.",
        "skills_required": ["Python", "Django"],
        "remote_type": "híbrido",
        "source_platform": "Gupy",
        "salary_range": pay(9_000, 14_000, "BRL"),
        "posted_date": on(22),
    },
    "bern": {
        "title": "Entwickler für Straßenverkehr",
        "company": "SBB",
        "location": "Zürich oder Bern",
        "description": "Steuerung des Verkehrs.",
        "skills_required": ["Java"],
        "remote_type": "hybrid",
        "source_platform": "jobs.ch",
        "salary_range": pay(110_000, None, "CHF"),
        "posted_date": on(21),
    },
    "paris": {
        "title": "Ingénieure données",
        "company": "L'Oréal",
        "location": "Paris 9ᵉ",
        "description": "Chaînes de traitement « temps réel ».",
        "skills_required": ["SQL", "Python"],
        "remote_type": "télétravail",
        "posted_date": on(20),
    },
    "lodz": {
        "title": "Specjalista ds. łączności",
        "company": "Żabka",
        "location": "Łódź",
        "description": "Praca zdalna, cały świat.",
        "skills_required": ["SQL"],
        "remote_type": "remote",
        "posted_date": on(19),
    },
    "tokyo": {
        "title": "ソフトウェアエンジニア",
        "company": "楽天グループ",
        "location": "東京都",
        "description": "検索基盤の開発。",
        "skills_required": ["Java"],
        "salary_range": pay(8_000_000, 12_000_000, "JPY"),
        "posted_date": on(18),
    },
    "beijing": {
        "title": "高级软件工程师",
        "company": "字节跳动",
        "location": "北京",
        "description": "负责搜索,使用Go语言。",
        "skills_required": ["Go"],
        "salary_range": pay(400_000, 600_000, "CNY"),
        "posted_date": on(17),
    },
    "seoul": {
        "title": "백엔드 개발자",
        "company": "카카오",
        "location": "서울",
        "description": "검색 서비스를 만듭니다.",
        "skills_required": ["Kotlin"],
        "posted_date": on(16),
    },
    "pune": {
        "title": "सॉफ्टवेयर इंजीनियर",
        "company": "टाटा",
        "location": "पुणे",
        "description": "नौकरी पुणे में है।",
        "skills_required": ["Java"],
        "salary_range": pay(1_200_000, None, "INR"),
        "posted_date": on(15),
    },
    "yerevan": {
        "title": "Инженер-программист",
        "company": "Яндекс",
        "location": "Ереван",
        "description": "Ещё один поиск на C++.",
        "skills_required": ["C++"],
        "remote_type": "Remote",
        "posted_date": on(14),
    },
    "nurse": {
        "title": "Nurse, children's ward",
        "company": "St Mary's Hospital",
        "location": "Leeds",
        "description": "Full-time care; part-time is fine.",
        "remote_type": "onsite",
        "source_platform": "NHS",
        "salary_range": pay(35_000, 35_000.5, "GBP"),
        "posted_date": on(13),
    },
    "helper": {
        "title": "Volunteer",
        "company": "Red Cross",
        "location": "Remote",
        "description": "No pay at all.",
        "remote_type": "remote",
        "salary_range": pay(0, 0, "USD"),
        "posted_date": on(12),
    },
    "silent": {
        "title": "Analyst",
        "company": "Acme",
        "location": "Anywhere",
        "description": "",
        "skills_required": ["Excel", "SQL"],
        "posted_date": on(11),
    },
    "vague": {
        "title": "analyst",
        "company": "ACME Inc",
        "location": "anywhere",
        "description": "Pays well, in euros.",
        "skills_required": ["excel"],
        "salary_range": pay(currency="EUR"),
        "posted_date": on(11),
    },
    "rocket": {
        "title": "🚀 Rocket Scientist 🚀",
        "company": "Moon™",
        "location": "🌍",
        "description": "Ship it! 💯",
        "skills_required": ["R&D", "\U0001f680"],
        "remote_type": "Remote (worldwide)",
        "posted_date": on(10),
    },
    "node": {
        "title": "Node.js/React Developers",
        "company": "Boxes & Movies",
        "location": "Remote - US",
        "description": "Caches of all sizes. Companies trust us; so does the analysis.",
        "skills_required": ["Node.js", "React", "TypeScript"],
        "remote_type": "remote",
        "source_platform": "LinkedIn",
        "salary_range": pay(1e15, 1e300, "USD"),
        "posted_date": on(9),
    },
    "bomb": {
        "title": "(a+)+$ Engineer .*",
        "company": "$where",
        "location": '{"$gt": ""}',
        "description": "' OR 1=1; -- \\u0000 %s ${jndi:ldap} <script>",
        "skills_required": ["$ne", "a.b"],
        "posted_date": on(8),
    },
    "early": {
        "title": "Clerk",
        "company": "Pinakes",
        "location": "Alexandria",
        "description": "Before there was a clock.",
        "posted_date": "0001-01-01T00:00:00Z",
    },
    "late": {
        "title": "Clerk",
        "company": "Pinakes",
        "location": "Alexandria",
        "description": "After all others.",
        "posted_date": "9999-12-31T23:59:59.999Z",
    },
    "closed": {
        "title": "Go Engineer",
        "company": "Hooli",
        "location": "San Francisco, CA",
        "description": "Closed already.",
        "skills_required": ["Go"],
        "remote_type": "remote",
        "source_platform": "LinkedIn",
        "salary_range": pay(160_000, 180_000, "USD"),
        "posted_date": on(26),
        "is_active": False,
    },
    "gone": {
        "title": "Nurse",
        "company": "Hooli",
        "location": "Leeds",
        "description": "",
        "posted_date": on(1),
        "is_active": False,
    },
}


@asynccontextmanager
async def pinned(app: FastAPI) -> AsyncIterator[Client]:
    """A client of a database with these postings and nothing else."""
    for spec in app.state.collections:
        await app.state.mongo[spec.name].delete_many({})
    transport = httpx.ASGITransport(app)
    async with Client(transport=transport, base_url="http://test", timeout=30) as client:
        stored = await client.bulk(
            "/jobs/", [{**fields, "external_id": name} for name, fields in POSTINGS.items()]
        )
        assert stored.json()["summary"]["created"] == len(POSTINGS)
        yield client
