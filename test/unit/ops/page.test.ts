import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';

import { statusPage } from '../../../src/ops/page.ts';

const { html, contentSecurityPolicy } = statusPage;
const contentOf = (tag: string): string => new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(html)?.[1] ?? '';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64');

describe('the status page', () => {
  it('loads nothing from elsewhere', () => {
    expect(html).not.toMatch(/https?:|\/\/[a-z]|@import|url\(/i);
    expect(html).not.toMatch(/<(?:script|link|img|iframe)[^>]*\s(?:src|href)="(?!data:,")/);
  });

  it('allows by its policy only its own style and script', () => {
    expect(contentSecurityPolicy).toContain(`default-src 'none'`);
    expect(contentSecurityPolicy).toContain(`style-src 'sha256-${sha256(contentOf('style'))}'`);
    expect(contentSecurityPolicy).toContain(`script-src 'sha256-${sha256(contentOf('script'))}'`);
    expect(contentSecurityPolicy).toContain(`connect-src 'self'`);
    expect(contentSecurityPolicy).not.toContain('unsafe');
    expect(html).not.toMatch(/\sstyle="|\son[a-z]+="/);
  });

  it('has a script that parses and never writes markup', () => {
    expect(() => new Script(contentOf('script'))).not.toThrow();
    expect(contentOf('script')).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval|new Function/);
  });

  it('closes what it opens, names its language and fits a phone', () => {
    for (const tag of ['html', 'head', 'body', 'header', 'main', 'footer', 'style', 'script', 'ul', 'noscript']) {
      const marks = html.match(new RegExp(`</?${tag}[ >]`, 'g'))?.map((mark) => mark.slice(0, -1));
      expect(marks).toEqual([`<${tag}`, `</${tag}`]);
    }
    expect(html).toContain('<html lang="en">');
    expect(html).toContain('width=device-width');
    expect(html).toContain('role="status"');
  });
});
