import type { Column } from '../types.ts';

const NAME_BYTES = 128;

/** `NAME` is a text, `NAME:number` and `NAME:date` say otherwise. */
export function viewColumns(...definitions: readonly string[]): Column[] {
  return definitions.map((definition) => {
    const [name = '', kind] = definition.split(':');
    if (kind === 'number') return { name, type: 'NUMBER', maxBytes: 22, nullable: true };
    if (kind === 'date') return { name, type: 'DATE', maxBytes: 7, nullable: true };
    const maxBytes = Number(kind ?? NAME_BYTES);
    return { name, type: 'VARCHAR2', maxBytes, length: maxBytes, charSemantics: false, nullable: true };
  });
}
