# The app alone; MongoDB runs beside it, see docker-compose.yml.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/aijobhunt
WORKDIR /src
# Dependencies first: they change less often than the code, and so does this layer.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir backend && touch backend/__init__.py \
 && /opt/aijobhunt/bin/pip install -c constraints.txt . \
 && /opt/aijobhunt/bin/pip uninstall --yes aijobhunt
COPY backend backend
RUN /opt/aijobhunt/bin/pip install --no-deps .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home aijobhunt
COPY --from=build /opt/aijobhunt /opt/aijobhunt
ENV PATH=/opt/aijobhunt/bin:$PATH PYTHONUNBUFFERED=1
USER aijobhunt
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
# As the first process it gets the signals itself, and ends its requests before it ends.
ENTRYPOINT ["aijobhunt"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
