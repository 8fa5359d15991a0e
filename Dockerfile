# The product image: API, agent, search. Not built on this project's own machines, which have no container engine.
# The target `model` is the CPU model server; GPU machines use vLLM's own image instead (compose.yaml).
FROM python:3.11-slim-bookworm AS source
# Where the default index has only CUDA builds of torch, name one that carries the CPU build.
ARG CLINSEARCH_TORCH_INDEX=""
RUN useradd --create-home clinsearch && install --directory --owner clinsearch /app
WORKDIR /app
COPY --chown=clinsearch pyproject.toml README.md LICENSE ./
COPY --chown=clinsearch scripts scripts
COPY --chown=clinsearch requirements requirements
COPY --chown=clinsearch retrieval retrieval
COPY --chown=clinsearch agent agent
COPY --chown=clinsearch eval eval
COPY --chown=clinsearch training training
COPY --chown=clinsearch service service
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PATH=/app/.venv/bin:$PATH
USER clinsearch
RUN python3 scripts/setup_env.py product && mkdir --parents var

FROM source AS model
USER root
RUN apt-get update && apt-get install --yes --no-install-recommends libnuma1 && rm -rf /var/lib/apt/lists/*
USER clinsearch
RUN python3 scripts/setup_env.py model --required
EXPOSE 8100
CMD ["sh", "-c", "clinsearch model prepare && exec clinsearch model serve --host 0.0.0.0"]

FROM source AS api
EXPOSE 8000
CMD ["sh", "-c", "clinsearch index build && exec clinsearch serve"]
