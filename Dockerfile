# Sparring with its server, run by a user without rights:
#
#   docker build --tag sparring .
#   docker run --rm --publish 8000:8000 --volume "$PWD/runs:/runs:ro" --env SPARRING_KEYS=secret sparring \
#       serve /runs/digits --host 0.0.0.0
#
# For NVIDIA GPUs, build it with another PyTorch, and run it with --gpus all:
#
#   docker build --tag sparring:cuda --build-arg TORCH=https://download.pytorch.org/whl/cu128 .

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY sparring sparring
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
ARG TORCH=https://download.pytorch.org/whl/cpu
ARG EXTRAS=serve,tables,audio,video,music,export
ENV PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --index-url "$TORCH" "torch>=2.11" \
    && pip install --no-cache-dir "$(ls /wheels/*.whl)[$EXTRAS]" \
    && useradd --create-home --uid 10001 sparring
USER 10001
WORKDIR /home/sparring
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz')"]
ENTRYPOINT ["sparring"]
CMD ["--help"]
