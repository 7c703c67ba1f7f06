import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { BUILT_BRIDGE } from '../support/built-bridge.ts';
import { findSchemas } from './kubernetes-schemas.ts';
import { readYaml, ROOT, run, yamlMissing } from './tools.ts';

const DIRECTORY = join(ROOT, 'deploy/kubernetes');
const read = (name: string): string => readFileSync(join(DIRECTORY, name), 'utf8');
const FILES = readdirSync(DIRECTORY).map((name) => join(DIRECTORY, name));

interface Port {
  readonly name?: string;
  readonly port?: number | string;
  readonly containerPort?: number;
  readonly targetPort?: string;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold?: number;
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly Port[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

type Labels = Readonly<Record<string, string>>;

interface StatefulSet {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas: number;
    readonly serviceName: string;
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: object;
        readonly containers: readonly [Container];
        readonly volumes: readonly {
          readonly name: string;
          readonly configMap?: { readonly name: string };
          readonly secret?: { readonly secretName: string };
        }[];
      };
    };
    readonly volumeClaimTemplates: readonly [{ readonly metadata: { readonly name: string }; readonly spec: object }];
  };
}

interface Service {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly selector: Labels; readonly ports: readonly Port[] };
}

interface NetworkPolicy {
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Labels };
    readonly ingress: readonly { readonly ports: readonly Port[] }[];
    readonly egress: readonly { readonly ports: readonly Port[] }[];
  };
}

interface ConfigMap {
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
}

const missingYaml = await yamlMissing();

describe.skipIf(missingYaml !== undefined)(
  `deploy/kubernetes${missingYaml === undefined ? '' : ` (${missingYaml})`}`,
  () => {
    let set: StatefulSet;
    let service: Service;
    let policy: NetworkPolicy;
    let configMap: ConfigMap;
    let container: Container;
    /** The files of the container that the manifests fill: its configuration and its secrets. */
    let mounted: string;
    let environment: Record<string, string>;
    let config: Config;

    beforeAll(async () => {
      const load = <T>(name: string): Promise<T> => readYaml(join(DIRECTORY, name)) as Promise<T>;
      set = await load('statefulset.yaml');
      service = await load('service.yaml');
      policy = await load('networkpolicy.yaml');
      configMap = await load('configmap.yaml');
      [container] = set.spec.template.spec.containers;
      mounted = mkdtempSync(join(tmpdir(), 'kubernetes-'));
      for (const [name, text] of Object.entries(configMap.data)) writeFileSync(join(mounted, name), text);
      const secrets = container.env.map(({ name, value }) => [name, join(mounted, basename(value))] as const);
      for (const [, file] of secrets) writeFileSync(file, 'from-a-file\n');
      environment = Object.fromEntries(secrets);
      config = loadConfig({ files: [join(mounted, 'bridge.json')], env: environment, flags: {}, need: 'run' });
    });

    afterAll(() => rmSync(mounted, { recursive: true, force: true }));

    const mountOf = (name: string): string =>
      container.volumeMounts.find((mount) => mount.name === name)?.mountPath ?? `no mount of ${name}`;

    it('has a configuration that the bridge itself takes, without a warning', async () => {
      const args = [BUILT_BRIDGE, 'check', '--config', join(mounted, 'bridge.json')];
      const { exitCode, stdout } = await run(process.execPath, args, { env: environment });
      const said = stdout.split('\n').filter((line) => !line.startsWith('note: '));
      expect({ exitCode, said }).toEqual({ exitCode: 0, said: ['ok', ''] });
    });

    it('gives the configuration to the bridge where its arguments say', () => {
      const [command, option, file] = container.args;
      expect([command, option]).toEqual(['run', '--config']);
      expect(Object.keys(configMap.data)).toEqual([basename(file!)]);
      const volume = set.spec.template.spec.volumes.find(({ configMap: of }) => of !== undefined)!;
      expect(volume.configMap!.name).toBe(configMap.metadata.name);
      expect(mountOf(volume.name)).toBe(dirname(file!));
    });

    it('gives secrets as files that the bridge reads, and has none in itself', () => {
      expect([config.oracle.password, config.mqtt.password, config.http.token]).toEqual(
        Array.from({ length: 3 }, () => 'from-a-file'),
      );
      const volume = set.spec.template.spec.volumes.find(({ secret }) => secret !== undefined)!;
      for (const { name, value } of container.env) {
        expect(name).toMatch(/^BRIDGE_\w+_FILE$/);
        expect(dirname(value)).toBe(mountOf(volume.name));
      }
      const command = /kubectl create secret generic (\S+) (.*)/.exec(read('statefulset.yaml'))!;
      expect(command[1]).toBe(volume.secret!.secretName);
      const named = [...command[2]!.matchAll(/--from-file=(\S+)/g)].map(([, file]) => file);
      expect(named).toEqual(container.env.map(({ value }) => basename(value)));
      expect(Object.values(configMap.data).join('')).not.toMatch(/password|token/i);
    });

    it('keeps journal and backups on the volume of the claim, and writes nowhere else', () => {
      const [claim] = set.spec.volumeClaimTemplates;
      for (const path of [config.journal.dir, config.backup.dir])
        expect(dirname(path)).toBe(mountOf(claim.metadata.name));
      expect(config.log.file).toBe('');
      expect(claim.spec).toMatchObject({ accessModes: ['ReadWriteOncePod'] });
      const volumes = [claim.metadata.name, ...set.spec.template.spec.volumes.map(({ name }) => name)];
      expect(container.volumeMounts.map(({ name }) => name).sort()).toEqual(volumes.sort());
      const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true).map(({ name }) => name);
      expect(writable).toEqual([claim.metadata.name]);
    });

    it('names one thing everywhere by the same labels, names and ports', () => {
      const { selector, serviceName, template } = set.spec;
      const { labels } = template.metadata;
      expect(labels).toEqual(selector.matchLabels);
      expect(service.spec.selector).toEqual(labels);
      expect(policy.spec.podSelector.matchLabels).toEqual(labels);
      expect(serviceName).toBe(service.metadata.name);
      expect(container.ports).toEqual([{ name: 'http', containerPort: config.http.port }]);
      expect(service.spec.ports.map(({ port, targetPort }) => [port, targetPort])).toEqual([
        [config.http.port, 'http'],
      ]);
      expect(policy.spec.ingress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual(['http']);
      const { metadata } = set;
      expect(read('configmap.yaml')).toContain(`kubectl exec ${metadata.name}-0 `);
      expect(read('configmap.yaml')).toContain(`rollout restart statefulset ${metadata.name}\n`);
    });

    it('lets the bridge out to the ports of broker, database and names', () => {
      const open = policy.spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port));
      const broker = Number(new URL(String(config.mqtt.url)).port);
      const database = Number(/:(\d+)\//.exec(config.oracle.connectString)![1]);
      expect(open).toEqual(expect.arrayContaining([53, broker, database]));
    });

    it('has one replica, which is given the time to drain', () => {
      const { replicas, template } = set.spec;
      // See HANG_MARGIN_MS in src/cli/commands/run.ts: it counts once for the drain and once for the stop.
      const hangMs = config.oracle.callTimeoutMs + 10_000;
      expect(replicas).toBe(1);
      expect(template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(
        config.bridge.drainTimeoutMs + 2 * hangMs,
      );
    });

    it('runs as the image does, without rights', () => {
      const { spec } = set.spec.template;
      const dockerfile = readFileSync(join(ROOT, 'deploy/docker/Dockerfile'), 'utf8');
      expect(dockerfile).toContain('USER node\n');
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1000,
          fsGroup: 1000,
          fsGroupChangePolicy: 'OnRootMismatch',
          seccompProfile: { type: 'RuntimeDefault' },
        },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
      expect(container.image).toBe(`mqtt-oracle-bridge:${version}`);
    });

    it('probes what a bridge answers, without broker and database too', async () => {
      const bridge = await BridgeProcess.start({
        config: {
          mqtt: { url: 'mqtt://127.0.0.1:9' },
          oracle: { connectString: '127.0.0.1:9/none', user: 'bridge', password: 'x' },
        },
      });
      try {
        const { livenessProbe, readinessProbe, startupProbe } = container;
        for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
          expect(httpGet.port).toBe('http');
          expect((await fetch(new URL(httpGet.path, bridge.url))).status).toBe(200);
        }
        expect([livenessProbe, readinessProbe].map(({ httpGet }) => httpGet.path)).toEqual(['/healthz', '/readyz']);
        // As long as systemd gives it: TimeoutStartSec=.
        expect(startupProbe.periodSeconds * startupProbe.failureThreshold!).toBe(300);
      } finally {
        await bridge.dispose();
      }
    });
  },
);

const schemas = await findSchemas();

describe.skipIf('missing' in schemas)(
  `deploy/kubernetes, by the schemas${'missing' in schemas ? ` (${schemas.missing})` : ''}`,
  () => {
    const validate = (version: string, files: readonly string[]): ReturnType<typeof run> => {
      const env = { PATH: process.env['PATH'], PYTHONPATH: 'site' in schemas ? schemas.site : '' };
      return run('python3', ['-m', 'kubernetes_validate', '--strict', '--quiet', '-k', version, ...files], { env });
    };

    it.each(['1.29', '1.33', '1.37'])('is of Kubernetes %s', async (version) => {
      expect(FILES).toHaveLength(4);
      expect(await validate(version, FILES)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    });

    it.each([
      ['readOnlyRootFilesystem: true', 'readOnlyRootFileSystem: true', 'readOnlyRootFileSystem'],
      ['replicas: 1', 'replicas: one', 'replicas'],
      ['serviceName: mqtt-oracle-bridge', 'serviceNames: mqtt-oracle-bridge', 'serviceName'],
    ])('would be told of a mistake: %s', async (right, wrong, told) => {
      const directory = mkdtempSync(join(tmpdir(), 'kubernetes-bad-'));
      const file = join(directory, 'statefulset.yaml');
      writeFileSync(file, read('statefulset.yaml').replace(right, wrong));
      const { exitCode, stdout, stderr } = await validate('1.37', [file]);
      rmSync(directory, { recursive: true });
      expect({ exitCode, said: stdout + stderr }).toEqual({ exitCode: 1, said: expect.stringContaining(told) });
    });
  },
);
