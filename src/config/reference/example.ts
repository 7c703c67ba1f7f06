import { wrapText } from '../../core/wording.ts';
import { SECTIONS, SETTINGS } from '../convict.ts';
import type { PlacedSetting } from '../setting.ts';

const HEAD = `// Example configuration with every key: what it does, what it may be, and its value.
// Keys that are left out have their default. Copy what differs to config/bridge.json.`;

const COLUMNS = 110;

/** A configuration file with every key and a comment on each. It loads as it stands. */
export function configExample(): string {
  const members = ['  "$schema": "./bridge.schema.json"', ...membersOf('', '  ')];
  return `${HEAD}\n{\n${members.join(',\n\n')}\n}\n`;
}

function membersOf(section: string, indent: string): string[] {
  return (SECTIONS.get(section) ?? []).map((key) => {
    const path = section === '' ? key : `${section}.${key}`;
    const setting = SETTINGS.get(path);
    if (setting !== undefined) return `${comment(setting, indent)}\n${indent}"${key}": ${value(setting, indent)}`;
    return `${indent}"${key}": {\n${membersOf(path, `${indent}  `).join(',\n\n')}\n${indent}}`;
  });
}

function comment(setting: PlacedSetting, indent: string): string {
  const allowed = `(${setting.kind.allowed(setting)})`;
  return wrapText(`${setting.doc} ${allowed}`, COLUMNS - indent.length)
    .map((line) => `${indent}// ${line}`)
    .join('\n');
}

function value(setting: PlacedSetting, indent: string): string {
  const shown = setting.example ?? setting.default;
  if (!Array.isArray(shown)) return JSON.stringify(shown);
  const lines = shown.map((item) => {
    const members = Object.entries(item as object).map(([key, member]) => `"${key}": ${JSON.stringify(member)}`);
    return `${indent}  { ${members.join(', ')} }`;
  });
  return `[\n${lines.join(',\n')}\n${indent}]`;
}
