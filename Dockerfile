# Two images from one file: `web` without torch, `worker` with it. docker-compose.yml builds both.

FROM python:3.11.15-slim-bookworm AS base
ENV ASSAY_HOME=/var/lib/assay \
    PATH=/opt/venv/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONUTF8=1
# Who runs it owns two folders, and none of the code.
RUN useradd --uid 10001 --no-log-init --no-create-home --home-dir /var/lib/assay \
      --shell /usr/sbin/nologin assay \
 && install --directory --owner=assay --group=assay --mode=0700 /var/lib/assay /backups
WORKDIR /app

# Wheels alone, so that nothing is compiled here and no compiler is needed.
FROM base AS web-packages
COPY requirements/web.txt requirements/
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --only-binary=:all: --requirement requirements/web.txt

# The index for processors alone has a torch of a tenth of the size; the profile gpu names another.
FROM web-packages AS worker-packages
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements/evaluation.txt requirements/
RUN /opt/venv/bin/pip install --only-binary=:all: --extra-index-url "$TORCH_INDEX" \
      --requirement requirements/evaluation.txt

# Compiled once: the containers' own file systems cannot be written.
FROM base AS code
COPY . .
RUN python -m compileall -q .

FROM base AS web
COPY --from=web-packages /opt/venv /opt/venv
COPY --from=code /app /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8000/healthz', timeout=4)"]
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "32", "--workers-kill-timeout", "4", \
     "--log-level", "warning", "--no-ws", "config.wsgi:application"]

FROM base AS worker
COPY --from=worker-packages /opt/venv /opt/venv
COPY --from=code /app /app
USER 10001:10001
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s --retries=3 \
  CMD ["sh", "-c", "exec celery -A config inspect ping --destination cpu@$HOSTNAME"]
CMD ["python", "-m", "celery", "-A", "config", "worker", "--loglevel", "warning", \
     "--pool", "prefork", "-Q", "cpu", "-n", "cpu@%h", "--concurrency", "1", \
     "--without-gossip", "--without-mingle"]
