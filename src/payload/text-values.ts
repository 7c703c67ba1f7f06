/** What texts may mean besides themselves; each has to be asked for. */
export interface TextMeanings {
  /** A text that is a number, white space around it aside, is one. */
  readonly numbersInText: boolean;
  /** The same with a comma: `12,5`, `1.234,5`. */
  readonly decimalComma: boolean;
  /** Whole texts, and what they are. */
  readonly words: Readonly<Record<string, number | null>>;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const COMMA_NUMBER = /^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)?(?:,\d+)?$/;
const MAX_NUMBER_LENGTH = 400;

/**
 * The literal of the number that a text is, as JavaScript and a decimal point write it; the number or null that it is
 * a word for; or undefined: it is a text. Undefined in place of a function where no text has such a meaning.
 */
export function compileTextMeanings(
  meanings: TextMeanings,
): ((text: string) => string | number | null | undefined) | undefined {
  const words = new Map(Object.entries(meanings.words));
  const { numbersInText, decimalComma } = meanings;
  if (!numbersInText && !decimalComma && words.size === 0) return undefined;
  return (text) => {
    const word = words.get(text);
    if (word !== undefined) return word;
    if (text.length > MAX_NUMBER_LENGTH) return undefined;
    const trimmed = text.trim();
    if (decimalComma && /\d/.test(trimmed) && COMMA_NUMBER.test(trimmed)) {
      return trimmed.replace('+', '').replaceAll('.', '').replace(',', '.');
    }
    return numbersInText && NUMBER.test(trimmed) ? trimmed.replace('+', '') : undefined;
  };
}
