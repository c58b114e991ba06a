"""What the demo data is made of: trades and their skills, places and what they pay, employers, names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trade:
    """A kind of work."""

    title: str
    field: str
    pay: int
    """A year, in thousands of US dollars, with some years of experience."""
    skills: tuple[str, ...]
    """The most typical first."""
    duties: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    name: str
    currency: str
    pay: float
    """What one US dollar of a trade's pay becomes here, in the currency of the place."""


@dataclass(frozen=True)
class Level:
    name: str
    prefix: str
    pay: float
    years: tuple[int, int]


LEVELS = (
    Level("junior", "Junior ", 0.7, (0, 2)),
    Level("mid", "", 1.0, (3, 5)),
    Level("senior", "Senior ", 1.3, (6, 10)),
    Level("lead", "Lead ", 1.6, (9, 18)),
)

REMOTE = "Remote"
NEW_YORK = Place("New York, NY", "USD", 1.15)
PLACES = (
    NEW_YORK,
    Place("San Francisco, CA", "USD", 1.25),
    Place("Austin, TX", "USD", 0.95),
    Place("Chicago, IL", "USD", 0.95),
    Place("Toronto, Canada", "CAD", 1.05),
    Place("London, United Kingdom", "GBP", 0.62),
    Place("Berlin, Germany", "EUR", 0.62),
    Place("Amsterdam, Netherlands", "EUR", 0.65),
    Place("Madrid, Spain", "EUR", 0.45),
    Place("Zurich, Switzerland", "CHF", 1.0),
    Place("Warsaw, Poland", "PLN", 2.0),
    Place("Bengaluru, India", "INR", 27.0),
    Place("Singapore", "SGD", 0.95),
    Place("Sydney, Australia", "AUD", 1.2),
    Place(REMOTE, "USD", 1.0),
)

ML = Trade(
    "Machine Learning Engineer",
    "data",
    150,
    ("Python", "Machine Learning", "PyTorch", "Docker", "SQL", "FastAPI", "Kubernetes", "MLflow"),
    (
        "take models from a notebook to a service that answers in milliseconds",
        "watch models for drift and retrain them before anybody notices",
        "review the experiments of your team",
    ),
)
TRADES = (
    ML,
    Trade(
        "Data Scientist",
        "data",
        130,
        ("Python", "SQL", "Statistics", "Machine Learning", "pandas", "A/B Testing", "scikit-learn", "R"),
        (
            "design experiments and tell the business what they do and do not show",
            "build forecasts that planners rely on",
            "turn vague questions into measurable ones",
        ),
    ),
    Trade(
        "Data Engineer",
        "data",
        130,
        ("Python", "SQL", "Airflow", "Spark", "Kafka", "dbt", "AWS", "Docker"),
        (
            "run the pipelines that every report starts from",
            "move nightly batches to streams",
            "keep the warehouse fast and its bill small",
        ),
    ),
    Trade(
        "Data Analyst",
        "data",
        90,
        ("SQL", "Excel", "Tableau", "Python", "Statistics", "Power BI", "Looker"),
        (
            "answer what people ask of the data, and what they should have asked",
            "keep the dashboards that the week begins with",
            "find out why a number moved",
        ),
    ),
    Trade(
        "Research Scientist",
        "data",
        170,
        ("Python", "PyTorch", "Machine Learning", "Statistics", "NLP", "Linear Algebra", "CUDA"),
        (
            "follow an idea from a paper to a result that holds",
            "publish what you find",
            "help engineers to bring it to users",
        ),
    ),
    Trade(
        "Backend Engineer",
        "software",
        135,
        ("Python", "PostgreSQL", "Docker", "REST APIs", "FastAPI", "MongoDB", "Redis", "AWS"),
        (
            "design interfaces that other teams enjoy",
            "keep response times flat while traffic grows",
            "own services from the first sketch to the pager",
        ),
    ),
    Trade(
        "Go Developer",
        "software",
        140,
        ("Go", "Kubernetes", "gRPC", "PostgreSQL", "Docker", "Linux", "Kafka"),
        (
            "write small services that do one thing and keep doing it",
            "find the slow path and remove it",
            "mentor colleagues who are new to Go",
        ),
    ),
    Trade(
        "Frontend Engineer",
        "software",
        120,
        ("TypeScript", "React", "CSS", "HTML", "Accessibility", "Jest", "GraphQL", "Figma"),
        (
            "build pages that work on a slow phone as well as on a fast desk",
            "care for the components that the whole company uses",
            "work next to designers every day",
        ),
    ),
    Trade(
        "Full Stack Developer",
        "software",
        125,
        ("TypeScript", "React", "Node.js", "PostgreSQL", "Docker", "REST APIs", "Python"),
        (
            "take features from the database to the button",
            "talk to the people who use what you build",
            "ship something small every week",
        ),
    ),
    Trade(
        "Mobile Developer",
        "software",
        125,
        ("Swift", "Kotlin", "Android", "iOS", "REST APIs", "Firebase", "Figma"),
        (
            "make an app that opens at once and forgives a lost connection",
            "release every other week without fear",
            "measure what is used and remove what is not",
        ),
    ),
    Trade(
        "DevOps Engineer",
        "operations",
        135,
        ("Kubernetes", "Terraform", "AWS", "Docker", "Linux", "Python", "Prometheus", "GitHub Actions"),
        (
            "make the way from a commit to production short and dull",
            "write down the infrastructure as code",
            "teach teams to run what they build",
        ),
    ),
    Trade(
        "Site Reliability Engineer",
        "operations",
        150,
        ("Linux", "Kubernetes", "Go", "Prometheus", "Python", "Terraform", "Incident Response"),
        (
            "set objectives for availability and hold us to them",
            "lead incidents calmly and their reviews without blame",
            "automate what woke you up",
        ),
    ),
    Trade(
        "Security Engineer",
        "operations",
        145,
        ("Linux", "Python", "Threat Modeling", "AWS", "Incident Response", "Penetration Testing", "SIEM"),
        (
            "find weaknesses before others do",
            "review designs while they are still cheap to change",
            "make the safe way the easy way",
        ),
    ),
    Trade(
        "Product Manager",
        "product",
        135,
        ("Roadmapping", "User Research", "SQL", "A/B Testing", "Agile", "Stakeholder Management", "Figma"),
        (
            "decide what not to build",
            "speak with users every week",
            "write briefs that engineers want to read",
        ),
    ),
    Trade(
        "UX Designer",
        "product",
        110,
        ("Figma", "User Research", "Prototyping", "Accessibility", "Design Systems", "HTML", "CSS"),
        (
            "draw flows that need no manual",
            "test prototypes with people who have never seen them",
            "grow the design system together with engineers",
        ),
    ),
)

EMPLOYERS = (
    ("Brightwater Labs", "makes sensors that tell cities how clean their water is"),
    ("Hollow Oak Health", "helps clinics to see patients sooner"),
    ("Meridian Freight", "plans the routes of forty thousand containers a day"),
    ("Paperlane", "turns invoices into bookkeeping"),
    ("Quill & Harbor", "publishes books for readers who have little time"),
    ("Sundial Energy", "balances rooftop solar across whole regions"),
    ("Tern Robotics", "builds arms that sort parcels gently"),
    ("Cobalt Kitchen", "runs the ordering systems of small restaurants"),
    ("Fernway Bank", "is a bank without branches"),
    ("Lumen Atlas", "draws maps for people who walk"),
    ("Nimbus Claims", "settles travel insurance within a day"),
    ("Oatfield Foods", "brings what farms grow to schools nearby"),
    ("Pinecrest Learning", "teaches languages ten minutes at a time"),
    ("Redshift Rail", "sells train tickets across borders"),
    ("Saltmarsh Games", "makes quiet games for long evenings"),
    ("Tidewell Pharma", "finds volunteers for clinical studies"),
    ("Umbra Security", "watches networks at night"),
    ("Vantage Homes", "rents flats without an agent"),
    ("Willow Mobility", "keeps shared bicycles where they are needed"),
    ("Yarrow Retail", "forecasts what shops will sell"),
    ("Arcway Telecom", "connects villages by radio"),
    ("Bluefin Logistics", "cools food on its way"),
    ("Cedar Point Media", "sells advertising by the minute"),
    ("Driftline Analytics", "measures how people use software"),
)

PERKS = (
    "Thirty days of leave, a budget for learning, and no meetings on Fridays.",
    "Flexible hours, a pension plan, and hardware of your own choice.",
    "A four-day week in summer, and paid time for open source.",
    "Stock options, parental leave for everybody, and good coffee.",
    "Paid relocation, language lessons, and a team from nineteen countries.",
)

PLATFORMS = ("LinkedIn", "Indeed", "Adzuna", "Jobicy", "RemoteOK", "Company site")

NAMES = (
    "Ada Okafor", "Mateo García", "Priya Natarajan", "Jonas Weber", "Mei Lin", "Amara Diallo",
    "Liam O'Connor", "Sofia Rossi", "Noah Kim", "Zofia Nowak", "Hannah Cohen", "Omar Haddad",
    "Ingrid Larsen", "Kwame Mensah", "Chloé Dubois", "Tomás Herrera", "Yuki Tanaka", "Elena Petrova",
    "Samuel Adeyemi", "Fatima Zahra", "Lucas Almeida", "Grace Thompson", "Arjun Mehta", "Freya Nielsen",
    "Daniel Schmidt", "Leila Rahimi", "Marcus Johnson", "Ana Kovač", "Hiroshi Sato", "Beatriz Costa",
    "Ethan Walker", "Nadia Rahman", "Viktor Novák", "Isabella Moretti", "Thabo Nkosi", "Emily Chen",
    "Pedro Jiménez", "Aisha Bello", "Felix Bauer", "Linh Nguyen", "Oliver Hughes", "Camila Rojas",
    "Rahul Iyer", "Maja Lindqvist", "Joseph Mwangi", "Clara Fontaine", "Ibrahim Demir", "Harper Davis",
    "Sanjay Gupta", "Lena Fischer", "Diego Morales", "Zainab Ali", "Peter van Dijk", "Julia Wójcik",
    "Andre Baptiste", "Nora Haugen", "Wei Zhang", "Teresa Silva", "Caleb Brooks", "Rania Khoury",
)  # fmt: skip

DEGREES = {
    "data": ("BSc Statistics", "MSc Data Science", "BSc Mathematics", "PhD Physics"),
    "software": ("BSc Computer Science", "MSc Software Engineering", "BEng Electronics"),
    "operations": ("BSc Information Systems", "BSc Computer Science", "BEng Networks"),
    "product": ("BA Psychology", "MBA", "BA Design", "MSc Human-Computer Interaction"),
}
CERTIFICATES = {
    "data": ("Certified Data Professional", "Cloud Machine Learning Specialty"),
    "software": ("Cloud Developer Associate", "Certified Scrum Developer"),
    "operations": ("Certified Kubernetes Administrator", "Cloud Solutions Architect", "Security Plus"),
    "product": ("Certified Product Owner", "Accessibility Core Competencies"),
}


def salary(trade: Trade, level: Level, place: Place) -> int:
    """About what the work pays there in a year, in whole thousands of the place's currency."""
    return round(trade.pay * level.pay * place.pay) * 1000
