"""How the page looks: on screen light or dark as the system is, on paper light."""

STYLE = """
:root {
  --back: #f6f7f9; --panel: #ffffff; --text: #1c1f24; --muted: #5b626c; --rule: #dde0e6; --grid: #e6e8ec;
  --accent: #0061a8; --train: #0072b2; --validation: #c65300; --test: #00875f; --other: #6a4fb3;
  --good: #00704f; --bad: #b3261e; --warn: #8a5300; --right: #0072b2; --wrong: #d55e00;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --back: #15171b; --panel: #1d2025; --text: #e8eaed; --muted: #a3aab5; --rule: #343941; --grid: #2b2f36;
    --accent: #62b5f0; --train: #56b4e9; --validation: #f0923c; --test: #3fc79a; --other: #b6a3f0;
    --good: #4fd1a5; --bad: #ff8a80; --warn: #f2b04a; --right: #3b8fc4; --wrong: #d9772e;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body {
  margin: 0 auto; max-width: 1240px; padding: 32px 24px 24px; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif;
  overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 0 0 14px; font-size: 20px; }
h3 { margin: 0 0 8px; font-size: 15px; }
h3 small { color: var(--muted); font-weight: 400; }
a { color: var(--accent); }
.titles { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; }
.note { color: var(--muted); font-size: 13px; margin: 6px 0; }
.message { margin: 10px 0 0; }
.problem { color: var(--bad); }
.state {
  border-radius: 99px; padding: 2px 12px; border: 1.5px solid currentColor; font-size: 13px;
  font-weight: 600; color: var(--accent);
}
.state.finished { color: var(--good); }
.state.failed { color: var(--bad); }
.state.interrupted, .state.stopped, .state.paused { color: var(--warn); }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(138px, 1fr)); gap: 12px;
  margin: 20px 0 0;
}
.tile, .panel, nav { background: var(--panel); border: 1px solid var(--rule); border-radius: 10px; }
.tile { padding: 10px 14px; display: flex; flex-direction: column; justify-content: space-between; }
.tile dt { color: var(--muted); font-size: 12px; }
.tile dd { margin: 0; font-size: 21px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile.main { border-color: var(--accent); }
.tile.main dd { color: var(--accent); }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 20px 0 0; padding: 8px 16px; font-size: 14px; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
section { margin-top: 36px; }
.grid {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 16px;
  align-items: start;
}
.panel { margin: 0; padding: 14px 16px; min-width: 0; }
figcaption {
  display: flex; flex-wrap: wrap; gap: 4px 16px; margin-top: 8px; font-size: 13px; color: var(--muted);
}
.entry { display: inline-flex; align-items: center; gap: 6px; }
.entry.bad { color: var(--bad); }
.line { width: 18px; height: 0; border-top: 3px solid var(--other); }
.line.train { border-color: var(--train); }
.line.validation { border-color: var(--validation); }
.line.test { border-color: var(--test); }
.ring { width: 11px; height: 11px; border-radius: 50%; border: 2px solid var(--validation); }
span.dot { width: 11px; height: 11px; border-radius: 50%; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--muted); font-variant-numeric: tabular-nums; }
.grid line.grid, line.grid { stroke: var(--grid); }
line.axis { stroke: var(--muted); }
.curve { fill: none; stroke: var(--other); stroke-width: 2; stroke-linejoin: round; }
.curve.dense { stroke-width: 1.2; }
.curve.train { stroke: var(--train); }
.curve.validation { stroke: var(--validation); }
.curve.test { stroke: var(--test); }
circle.dot { fill: var(--other); }
circle.dot.train { fill: var(--train); }
circle.dot.validation { fill: var(--validation); }
circle.dot.test { fill: var(--test); }
circle.best { fill: var(--panel); stroke: var(--validation); stroke-width: 2.5; }
text.notfinite { fill: var(--bad); font-size: 15px; font-weight: 700; }
text.halo {
  fill: var(--text); font-size: 15px; font-weight: 700; paint-order: stroke; stroke: var(--panel);
  stroke-width: 4px; stroke-linejoin: round;
}
.histogram rect { fill: var(--accent); }
.heads {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 14px;
  margin-bottom: 12px;
}
#configuration .grid { display: block; columns: 460px 2; column-gap: 16px; }
#configuration .panel { break-inside: avoid; margin-bottom: 16px; }
img { max-width: 100%; height: auto; }
.pixels, .gallery img { image-rendering: pixelated; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.scroll { overflow-x: auto; }
.confusion { width: auto; margin: 0 auto; }
.confusion th { font-weight: 500; color: var(--muted); padding: 3px 8px; text-align: right; }
.confusion thead th { text-align: center; vertical-align: bottom; }
.confusion thead th.corner { text-align: right; font-size: 11px; line-height: 1.3; }
.confusion td { padding: 6px 4px; min-width: 38px; text-align: center; border: 1px solid var(--panel); }
.confusion td.none { color: var(--rule); }
.confusion td.right { background: color-mix(in srgb, var(--right) var(--share), var(--panel)); }
.confusion td.wrong { background: color-mix(in srgb, var(--wrong) var(--share), var(--panel)); }
.confusion td.strong { color: #fff; }
.plain { width: 100%; }
.plain th, .plain td {
  padding: 4px 10px 4px 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top;
}
.plain th { font-weight: 500; color: var(--muted); overflow-wrap: break-word; }
.plain tbody tr:last-child > * { border-bottom: 0; }
.log td:not(.text) { white-space: nowrap; }
.level.warning { color: var(--warn); font-weight: 600; }
.level.error { color: var(--bad); font-weight: 600; }
.gallery {
  list-style: none; margin: 0; padding: 0; display: grid;
  grid-template-columns: repeat(auto-fill, minmax(118px, 1fr)); gap: 12px;
}
.gallery li {
  background: var(--panel); border: 1px solid var(--rule); border-radius: 10px; padding: 10px;
  font-size: 13px; line-height: 1.35;
}
.gallery li.textual { grid-column: span 2; }
.gallery img { display: block; margin: 0 auto 8px; border-radius: 4px; }
blockquote { margin: 0 0 8px; }
footer { margin-top: 40px; color: var(--muted); font-size: 12px; }
@media print {
  body {
    background: none; max-width: none; padding: 0; font-size: 11pt; print-color-adjust: exact;
    -webkit-print-color-adjust: exact;
  }
  nav { display: none; }
  .panel, .tile, .gallery li, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .grid { grid-template-columns: 1fr 1fr; }
  section { margin-top: 20px; }
}
"""
