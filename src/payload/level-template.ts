/** The template with the levels of a topic in the place of `{n}`, from 1; nothing where the topic has no such level. */
export function fillLevels(template: string, levels: readonly string[]): string {
  return template.replaceAll(/\{(\d+)\}/g, (_whole, n: string) => levels[Number(n) - 1] ?? '');
}
