"""A minimal FastAPI + Motor app, as a competent newcomer would write it on one page."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from bson import ObjectId
from fastapi import FastAPI, HTTPException
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel, BeforeValidator, Field
from pymongo.errors import DuplicateKeyError


class SalaryRange(BaseModel):
    min: float | None = None
    max: float | None = None
    currency: str = "USD"


class MLFeatures(BaseModel):
    processed_text: str | None = None
    keyword_vector: list[float] = []


class JobIn(BaseModel):
    external_id: str
    title: str
    company: str
    description: str
    location: str
    remote_type: str | None = None
    skills_required: list[str] = []
    posted_date: datetime = Field(default_factory=lambda: datetime.now(UTC))
    source_url: str | None = None
    source_platform: str | None = None
    salary_range: SalaryRange | None = None
    ml_features: MLFeatures | None = None
    is_active: bool = True


class Job(JobIn):
    id: Annotated[str, BeforeValidator(str)] = Field(validation_alias="_id")
    created_at: datetime


client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(os.environ["MONGODB_URI"])
jobs = client[os.environ["PROD_DB"]]["jobs"]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await jobs.create_index("external_id", unique=True)
    await jobs.create_index([("posted_date", -1)])
    yield
    client.close()


app = FastAPI(lifespan=lifespan)


@app.get("/jobs/{job_id}", response_model=Job)
async def get_job(job_id: str) -> Any:
    job = await jobs.find_one({"_id": ObjectId(job_id)})
    if job is None:
        raise HTTPException(404, "Job not found")
    return job


@app.get("/jobs/", response_model=list[Job])
async def list_jobs(limit: int = 100) -> Any:
    return await jobs.find().sort("posted_date", -1).limit(limit).to_list(limit)


@app.post("/jobs/", response_model=Job, status_code=201)
async def create_job(body: JobIn) -> Any:
    job = {**body.model_dump(), "created_at": datetime.now(UTC)}
    try:
        await jobs.insert_one(job)
    except DuplicateKeyError:
        raise HTTPException(409, "external_id is taken") from None
    return job
