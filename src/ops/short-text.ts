/** The text, or its beginning and an ellipsis. A copy then: a part of a long text would keep all of it in memory. */
export function shortText(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${Buffer.from(text.slice(0, maxLength), 'utf8').toString('utf8')}…`;
}
