# The training worker and the predictor: everything, torch included. With CUDA wheels it uses the GPU by itself.
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=fastloop_console.settings.production HF_HUB_OFFLINE=1
WORKDIR /srv/fastloop
RUN pip install --no-cache-dir uv
COPY requirements.txt .
RUN uv pip install --system --no-cache -r requirements.txt
COPY . .
RUN useradd --system --create-home fastloop && install -d -o fastloop /srv/storage /srv/home  # volumes are mounted there
USER fastloop
CMD ["celery", "-A", "workers.gpu", "worker", "-Q", "training,embedding", "--pool", "threads", "-c", "2", "-l", "info"]
