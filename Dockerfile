# One image for web, ocpp, worker and beat: what a container does is its command (see compose.yaml).

# ---- style sheets, fonts and scripts
FROM node:24-slim AS frontend
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

# ---- Python packages, in a virtual environment that the last stage takes over whole
FROM python:3.13-slim AS packages
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

# ---- the image
FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --create-home --home-dir /home/laadbewijs laadbewijs
WORKDIR /app
COPY --from=packages /venv /venv
COPY --from=frontend /app/node_modules node_modules
COPY manage.py ./
COPY stations stations
COPY smartcharging smartcharging
COPY v2x v2x
COPY portal portal
# Both run with the defaults: no secret and no database is needed to collect files. The key that is made on the
# way belongs to nobody and must not stay in the image.
RUN mkdir var \
    && python manage.py messages --compile \
    && python manage.py collectstatic --noinput \
    && rm -f var/secret-key var/*.sqlite3* \
    && chown -R laadbewijs var
USER laadbewijs
EXPOSE 8000
# A container that got no secret must not invent one: each would have its own.
ENTRYPOINT ["sh", "-c", ": \"${SECRET_KEY:?set SECRET_KEY, the same for every container}\"; exec \"$@\"", "--"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
