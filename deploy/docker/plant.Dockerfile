# syntax=docker/dockerfile:1
# Simulated PLCs, to try it all with: see the profile "plant" in deploy/compose.yaml.
FROM node:26-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY scripts/simulate-plant.ts ./scripts/
USER node
STOPSIGNAL SIGINT
ENTRYPOINT ["node", "--import", "tsx", "scripts/simulate-plant.ts"]
