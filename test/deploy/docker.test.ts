import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { ROOT, readYaml, run, yamlMissing } from './tools.ts';

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly profiles?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const DEPLOY = join(ROOT, 'deploy');
const missing = await yamlMissing();

describe.skipIf(missing !== undefined)(`compose.yaml${missing === undefined ? '' : ` (${missing})`}`, async () => {
  const compose = missing === undefined ? ((await readYaml(join(DEPLOY, 'compose.yaml'))) as Compose) : undefined;
  const services = Object.entries(compose?.services ?? {});
  /** What a shell variable stands for when it is not set. */
  const filled = (text: string): string => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
  const bridge = compose?.services['bridge'];

  it('starts broker, database and bridge, and the plant only when asked', () => {
    const profiles = services.map(([name, { profiles: of = [] }]) => [name, of]);
    expect(Object.fromEntries(profiles)).toEqual({ mosquitto: [], oracle: [], bridge: [], plant: ['plant'] });
  });

  it('gives the bridge an environment that is a good configuration', () => {
    const given = Object.entries(bridge?.environment ?? {}).map(([name, text]) => [name, filled(text)]);
    const config = loadConfig({ files: [], env: Object.fromEntries(given), flags: {}, need: 'run' });
    expect(config.mqtt.subscriptions.map(({ topic }) => topic)).toEqual(['plc/+/tags', 'plant/+/+']);
    expect(config.mqtt.url).toBe('mqtt://mosquitto:1883');
    expect(config.oracle.connectString).toMatch(/^oracle:1521\//);
    expect(config.oracle.table).toBe('bridge_owner.TAG_DATA');
    const seconds = /^(\d+)s$/.exec(bridge?.stop_grace_period ?? '')?.[1];
    expect(Number(seconds) * 1000).toBeGreaterThan(config.bridge.drainTimeoutMs);
  });

  it('logs on with the password that the database is given', () => {
    const { oracle } = compose!.services;
    expect(filled(oracle!.environment!['BRIDGE_DB_PASSWORD']!)).toBe(
      filled(bridge!.environment!['BRIDGE_ORACLE_PASSWORD']!),
    );
    const script = readFileSync(join(DEPLOY, 'docker/init-oracle.sh'), 'utf8');
    expect(script).toContain('${BRIDGE_DB_PASSWORD}');
    expect(readFileSync(join(DEPLOY, 'oracle/users.sql'), 'utf8')).toContain(
      `USER ${bridge!.environment!['BRIDGE_ORACLE_USER']} `,
    );
    const named = [...script.matchAll(/@\/deploy\/(\S+\.sql)/g)].map(([, file]) => file!);
    expect(named.map((file) => existsSync(join(DEPLOY, file)))).toEqual([true, true, true]);
  });

  it.each(services)('has for %s all that it mounts, builds from, waits for', (_name, service) => {
    const mounts = (service.volumes ?? []).map((volume) => volume.split(':')[0]!);
    const isThere = (from: string): boolean =>
      from.startsWith('.') ? existsSync(join(DEPLOY, from)) : Object.hasOwn(compose!.volumes, from);
    expect(mounts.filter((from) => !isThere(from))).toEqual([]);
    const { build, image = '' } = service;
    const isFixed = /:\d/.test(image);
    const isBuilt = build !== undefined && existsSync(join(DEPLOY, build.context, build.dockerfile));
    expect([isFixed, isBuilt].filter(Boolean)).toHaveLength(1);
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(condition).toBe('service_healthy');
      expect(compose!.services[other]?.healthcheck?.test[0]).toMatch(/^CMD/);
    }
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });
});

describe('the Dockerfiles', () => {
  const dockerfile = readFileSync(join(DEPLOY, 'docker/Dockerfile'), 'utf8');
  const plant = readFileSync(join(DEPLOY, 'docker/plant.Dockerfile'), 'utf8');
  const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
  const allowed = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));

  it('copy only what is there and what .dockerignore lets through', () => {
    expect(ignore).toContain('*');
    expect(allowed.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const copied = [...`${dockerfile}\n${plant}`.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
      paths!.split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    const isLetThrough = (path: string): boolean =>
      allowed.some((each) => each === path || each.startsWith(`${path}/`));
    expect(copied.filter((path) => !isLetThrough(path))).toEqual([]);
  });

  it('have with the simulated plant all that it imports', () => {
    const source = readFileSync(join(ROOT, 'scripts/simulate-plant.ts'), 'utf8');
    const imported = [...source.matchAll(/^import .*'(.+)';$/gm)].map(([, from]) => from!);
    expect(imported.filter((from) => from.startsWith('.'))).toEqual([]);
  });

  it('are for the Node release in long-term support, run as a user who is not root, and with what is needed to run', () => {
    const bases = [...`${dockerfile}\n${plant}`.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(new Set(bases)).toEqual(new Set(['node:26-bookworm-slim']));
    const stages = dockerfile.split(/^FROM /m);
    const last = stages.at(-1)!;
    for (const line of ['USER node', 'VOLUME /data', 'STOPSIGNAL SIGTERM', 'CMD ["run"]']) expect(last).toContain(line);
    for (const part of ['package.json', 'node_modules', 'dist'])
      expect(last).toContain(`COPY --from=build /build/${part} `);
    const env = Object.fromEntries([...last.matchAll(/(BRIDGE_\w+)=(\S+)/g)].map(([, name, text]) => [name!, text!]));
    const config = loadConfig({ files: [], env, flags: {}, need: 'any' });
    expect([config.journal.dir, config.backup.dir]).toEqual(['/data/journal', '/data/backup']);
  });

  it.each([
    [200, 0],
    [500, 1],
  ])('take the answer %i to /healthz as exit code %i', async (answer, exitCode) => {
    const command = /^HEALTHCHECK[^[]*(\[.*\])$/m.exec(dockerfile.replaceAll('\\\n', ''))?.[1];
    const [node, ...args] = JSON.parse(command ?? '[]') as string[];
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.writeHead(answer).end();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const env = { PATH: process.env['PATH'], BRIDGE_HTTP_PORT: String((server.address() as AddressInfo).port) };
    expect(await run(node!, args, { env })).toMatchObject({ exitCode });
    expect(paths).toEqual(['/healthz']);
    await new Promise((resolve) => {
      server.close(resolve);
    });
    expect(await run(node!, args, { env })).toMatchObject({ exitCode: 1 });
  });
});
