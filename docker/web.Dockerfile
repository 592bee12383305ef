# The web process, the default worker and beat. No torch in it: `tests/architecture` holds that.
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=fastloop_console.settings.production
WORKDIR /srv/fastloop
RUN pip install --no-cache-dir uv
COPY docker/requirements-web.txt docker/
RUN uv pip install --system --no-cache -r docker/requirements-web.txt
COPY . .
RUN SECRET_KEY=build DATABASE_URL=postgres://build REDIS_URL=redis://build python manage.py collectstatic --noinput -v0
RUN useradd --system --create-home fastloop && install -d -o fastloop /srv/storage  # a volume is mounted there
USER fastloop
EXPOSE 8000
CMD ["uvicorn", "fastloop_console.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--proxy-headers"]
