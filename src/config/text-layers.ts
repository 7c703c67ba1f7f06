import { ConfigError } from '../core/errors.ts';
import { SETTINGS } from './convict.ts';
import { type ReadFile, readFailure } from './file-layer.ts';
import { JsonSyntaxError } from './json-reader.ts';
import { errorAt, type Layer, newLayer } from './layers.ts';
import type { PlacedSetting } from './setting.ts';
import { suggestion } from '../core/suggestion.ts';

const PREFIX = 'BRIDGE_';
const TEST_PREFIX = 'BRIDGE_TEST_';
const FILE_SUFFIX = '_FILE';
const FLAG = '--set';

/**
 * Variables that an orchestrator gives a container for each service beside it: those of a service named `bridge` or
 * `bridge-…` begin as the bridge's own [Kubernetes, "Discovering services"].
 */
const SERVICE_VARIABLES: readonly { readonly name: RegExp; readonly text?: RegExp }[] = [
  { name: /_SERVICE_HOST$/ },
  { name: /_SERVICE_PORT(?:_\w+)?$/ },
  // Of a service named `bridge-http` this is also the name of a setting, whose value is a number.
  { name: /_PORT$/, text: /^(?:tcp|udp|sctp):\/\/\S+:\d+$/ },
  { name: /_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/ },
];

type Texts = Readonly<Record<string, string | undefined>>;

/** Names the configuration file; no setting itself. */
export const CONFIG_VARIABLE = 'BRIDGE_CONFIG';

const ALL = [...SETTINGS.values()];
const BY_VARIABLE: ReadonlyMap<string, PlacedSetting> = new Map(ALL.map((setting) => [setting.env, setting]));
const BY_FILE_VARIABLE: ReadonlyMap<string, PlacedSetting> = new Map(
  ALL.filter(({ sensitive }) => sensitive === true).map((setting) => [setting.env + FILE_SUFFIX, setting]),
);
const VARIABLES = [...BY_VARIABLE.keys(), ...BY_FILE_VARIABLE.keys(), CONFIG_VARIABLE];

/** The settings in environment variables, and in the files that `…_FILE` variables name for secrets. */
export function readEnvironmentLayer(env: Texts, readFile: ReadFile): Layer {
  const layer = newLayer();
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !isSetting(name, text)) continue;
    const setting = BY_VARIABLE.get(name);
    const secret = BY_FILE_VARIABLE.get(name);
    if (setting !== undefined) {
      setText(layer, setting, text, name);
    } else if (secret === undefined) {
      layer.errors.push(new ConfigError(name, `is not a known environment variable${suggestion(name, VARIABLES)}`));
    } else if (env[secret.env] === undefined) {
      readSecret(layer, secret, text, name, readFile);
    } else {
      layer.errors.push(new ConfigError(name, `is set, and so is ${secret.env}: only one of them may be`));
    }
  }
  return layer;
}

/** True when the environment holds any setting of the bridge. */
export function hasEnvironmentSettings(env: Texts): boolean {
  return Object.entries(env).some(([name, text]) => text !== undefined && isSetting(name, text));
}

function isSetting(name: string, text: string): boolean {
  if (!name.startsWith(PREFIX) || name.startsWith(TEST_PREFIX) || name === CONFIG_VARIABLE) return false;
  return !SERVICE_VARIABLES.some((each) => each.name.test(name) && (each.text?.test(text) ?? true));
}

/** Settings by path, as `--set` gives them. A secret is refused: everyone on the machine can read a command line. */
export function readFlagLayer(flags: Readonly<Record<string, string>>): Layer {
  const layer = newLayer();
  for (const [path, text] of Object.entries(flags)) {
    const setting = SETTINGS.get(path);
    if (setting === undefined) {
      const message = `is not a known key${suggestion(path, [...SETTINGS.keys()])}`;
      layer.errors.push(errorAt(path, message, FLAG));
    } else if (setting.sensitive === true) {
      const instead = `use ${setting.env}${FILE_SUFFIX}`;
      layer.errors.push(new ConfigError(path, `can't be set on the command line, which others can read: ${instead}`));
    } else {
      setText(layer, setting, text, FLAG);
    }
  }
  return layer;
}

/** Docker, Kubernetes and systemd hand secrets over as files, which editors end with a line feed. */
function readSecret(layer: Layer, setting: PlacedSetting, file: string, name: string, readFile: ReadFile): void {
  const refuse = (message: string): void => {
    layer.errors.push(new ConfigError(name, message));
    layer.unknown.add(setting.path);
  };
  try {
    const text = secretIn(readFile(file));
    layer.values.set(setting.path, text);
    layer.origins.set(setting.path, name);
    if (text === '') refuse(`names a file with nothing in it: ${file}`);
  } catch (thrown) {
    refuse(`names a file that can't be read: ${file || '(empty)'}: ${readFailure(thrown)}`);
  }
}

/** The secret that the text of a file is. */
export function secretIn(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/\r?\n$/, '');
}

/** The files that `…_FILE` variables name, by the path of their setting. */
export function secretFiles(env: Texts): ReadonlyMap<string, string> {
  return new Map(
    [...BY_FILE_VARIABLE].flatMap(([name, { path }]): [string, string][] => {
      const file = env[name] ?? '';
      return file === '' ? [] : [[path, file]];
    }),
  );
}

function setText(layer: Layer, setting: PlacedSetting, text: string, origin: string): void {
  try {
    layer.values.set(setting.path, setting.kind.parse(text));
    layer.origins.set(setting.path, origin);
  } catch (thrown) {
    if (!(thrown instanceof JsonSyntaxError)) throw thrown;
    const message = `is not JSON: line ${thrown.line}, column ${thrown.column}: ${thrown.message}`;
    layer.errors.push(errorAt(setting.path, message, origin));
    layer.unknown.add(setting.path);
  }
}
