import type { Setting, SettingKind } from '../setting.ts';

/**
 * Texts that are good or not. `details` follow what is allowed in an error, where the reference need not repeat them.
 */
export function textKind(
  allowed: string,
  isGood: (text: string) => boolean,
  { details = '', pattern }: { readonly details?: string; readonly pattern?: string } = {},
): SettingKind {
  return {
    allowed: (setting) => orEmpty(allowed, setting),
    check: (value, setting) => {
      if (value === '' && setting.mayBeEmpty === true) return [];
      const isAllowed = typeof value === 'string' && isGood(value);
      return isAllowed ? [] : [{ must: `must be ${orEmpty(allowed, setting)}${details}`, got: value }];
    },
    parse: (text) => text,
    jsonSchema: ({ mayBeEmpty }) => ({
      type: 'string',
      ...(mayBeEmpty === true ? {} : { minLength: 1, ...(pattern === undefined ? {} : { pattern }) }),
    }),
  };
}

function orEmpty(allowed: string, setting: Setting): string {
  return setting.mayBeEmpty === true ? `${allowed}, or empty` : allowed;
}
