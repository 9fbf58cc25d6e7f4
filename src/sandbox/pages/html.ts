/** Text that is HTML already. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | false | null | undefined | readonly Value[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A template whose values are escaped, unless they are HTML themselves. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.reduce((text, part, index) => text + shown(values[index - 1]) + part));
}

function shown(value: Value): string {
  if (value === false || value === null || value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map((one: Value) => shown(one)).join('');
  return `${value as string | number}`.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}

const STYLE = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--text:#1a1f36;--soft:#5b6478;--line:#d9dee7;--accent:#3d46c9;--on:#fff;--bad:#a3141f;--badbg:#fdecee;--note:#fff6db;--notetext:#5c4300}
@media (prefers-color-scheme:dark){:root{--bg:#12141c;--card:#1b1e2a;--text:#e8eaf2;--soft:#a2aabd;--line:#343a4d;--accent:#8f97ff;--on:#10121a;--bad:#ff9aa2;--badbg:#3a1a20;--note:#3a3113;--notetext:#f5dc93}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,sans-serif}
.note{margin:0;padding:.5rem 1rem;background:var(--note);color:var(--notetext);text-align:center;font-size:.9rem}
main{width:min(30rem,100% - 2rem);margin:2rem auto;padding:1.5rem;background:var(--card);border:1px solid var(--line);border-radius:12px}
main.wide{width:min(44rem,100% - 2rem)}h1{font-size:1.35rem;margin:0 0 1rem}h2{font-size:1.05rem;margin:1.75rem 0 .5rem}
table{width:100%;border-collapse:collapse}th,td{padding:.45rem .25rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}tfoot td,tfoot th{border-bottom:0}
label{display:block;margin:.9rem 0 .25rem;font-weight:600;font-size:.9rem}
input{width:100%;padding:.6rem .7rem;font:inherit;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:8px}
.two{display:grid;grid-template-columns:1fr 1fr;gap:0 1rem}
button,.button{display:inline-block;padding:.65rem 1.1rem;font:inherit;font-weight:600;color:var(--on);background:var(--accent);border:0;border-radius:8px;cursor:pointer;text-decoration:none}
button.full{width:100%;margin-top:1.25rem}button.quiet{color:var(--accent);background:none;border:1px solid var(--line)}
a{color:var(--accent)}:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.bad{padding:.6rem .8rem;background:var(--badbg);color:var(--bad);border-radius:8px;font-weight:600}
.soft{color:var(--soft);font-size:.9rem}.row{display:flex;gap:.75rem;flex-wrap:wrap;align-items:center;margin:.75rem 0}
details{margin-top:1.25rem}code{font-size:.95em}form{margin:0}`;

/** A page that needs no script. */
export function document(title: string, body: Html, wide = false): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} – sandbox</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <p class="note" role="note">
          Sandbox: nothing here moves money. Use test cards alone, never a real one.
        </p>
        <main class="${wide ? 'wide' : ''}">${body}</main>
      </body>
    </html> `.text;
}
