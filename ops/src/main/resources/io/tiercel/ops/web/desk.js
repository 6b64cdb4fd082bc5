'use strict';
// The desk's page: server-sent events from /live, drawn on three canvases and in a few tables. Latencies come in
// nanoseconds and are shown in microseconds.

const at = id => document.getElementById(id);
const text = (id, words) => { at(id).textContent = words; };
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const heat = {columns: [], rows: 0, rowsPerDecade: 1, firstEdgeNs: 1};
let frame = null;

const digits = value => value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1)
  : Math.round(value).toLocaleString('en-US');
const micros = ns => ns === undefined ? '–' : digits(ns / 1000);
const axis = ns => ns < 1e6 ? `${ns / 1e3} µs` : ns < 1e9 ? `${ns / 1e6} ms` : `${ns / 1e9} s`;
const rate = value => value === 0 ? '0' : value >= 100 ? Math.round(value).toLocaleString('en-US') : digits(value);
const count = value => value.toLocaleString('en-US');
const time = ms => new Date(ms).toISOString().slice(11, 19);
const stages = ['total', 'journal', 'queue', 'infer', 'egress'];

function bytes(value) {
  let unit = 0;
  while (value >= 1024 && unit < 5) { value /= 1024; unit++; }
  return `${unit ? digits(value) : value} ${['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][unit]}`;
}

function duration(seconds) {
  const two = value => String(Math.floor(value)).padStart(2, '0');
  const days = Math.floor(seconds / 86400);
  return `${days ? days + 'd ' : ''}${two(seconds % 86400 / 3600)}:${two(seconds % 3600 / 60)}:${two(seconds % 60)}`;
}

/** Rows of a table's body, from arrays of cells. */
function fill(id, rows, classOf = () => '') {
  at(id).tBodies[0].replaceChildren(...rows.map((cells, index) => {
    const row = document.createElement('tr');
    row.className = classOf(index);
    row.append(...cells.map(cell => Object.assign(document.createElement('td'), {textContent: cell})));
    return row;
  }));
}

/** A canvas made as sharp as the screen is. */
function sheet(id) {
  const canvas = at(id);
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext('2d');
  pen.scale(scale, scale);
  pen.font = `${Math.max(11, Math.round(width / 70 > 15 ? 15 : width / 70))}px system-ui, sans-serif`;
  return {pen, width, height, left: 62, right: 14, top: 8, bottom: 24};
}

/** Lines and labels at 1 µs, 10 µs and so on; y maps nanoseconds to a place. */
function decades(page, y, minNs, maxNs) {
  const {pen} = page;
  pen.textAlign = 'right';
  pen.textBaseline = 'middle';
  for (let ns = 100; ns <= maxNs * 1.0001; ns *= 10) {
    if (ns < minNs * 0.9999) { continue; }
    pen.strokeStyle = css('--line');
    pen.beginPath();
    pen.moveTo(page.left, y(ns));
    pen.lineTo(page.width - page.right, y(ns));
    pen.stroke();
    pen.fillStyle = css('--faint');
    pen.fillText(axis(ns), page.left - 6, Math.max(7, Math.min(page.height - page.bottom - 4, y(ns))));
  }
}

function nothing(page) {
  page.pen.fillStyle = css('--faint');
  page.pen.textAlign = 'center';
  page.pen.fillText('no answers yet', page.width / 2, page.height / 2);
}

function drawHeat() {
  const page = sheet('heat');
  const used = heat.columns.flatMap(column => column.counts.flatMap((value, row) => value ? [row] : []));
  if (!used.length) { nothing(page); return; }
  const perDecade = heat.rowsPerDecade;
  const low = Math.floor(used.reduce((a, b) => Math.min(a, b)) / perDecade) * perDecade;
  const high = Math.ceil((used.reduce((a, b) => Math.max(a, b)) + 1) / perDecade) * perDecade;
  const edge = row => heat.firstEdgeNs * 10 ** (row / perDecade);
  const bottom = page.height - page.bottom;
  const y = ns => bottom - (Math.log10(ns / heat.firstEdgeNs) * perDecade - low) / (high - low) * (bottom - page.top);
  const endMs = heat.columns.at(-1).endMs;
  const spanMs = 300000;
  const x = ms => page.width - page.right - (endMs - ms) / spanMs * (page.width - page.left - page.right);
  const most = Math.log1p(heat.columns.reduce((max, column) => Math.max(max, ...column.counts), 1));
  const {pen} = page;
  decades(page, y, edge(low), edge(high));
  pen.fillStyle = css('--accent');
  heat.columns.forEach((column, index) => {
    const from = index ? Math.max(heat.columns[index - 1].endMs, column.endMs - 5000) : column.endMs - 1000;
    const left = Math.max(page.left, x(from));
    column.counts.forEach((value, row) => {
      if (value) {
        pen.globalAlpha = 0.15 + 0.85 * Math.log1p(value) / most;
        pen.fillRect(left, y(edge(row + 1)), Math.max(1, x(column.endMs) - left + 0.5), y(edge(row)) - y(edge(row + 1)));
      }
    });
  });
  pen.globalAlpha = 1;
  pen.fillStyle = css('--faint');
  pen.textBaseline = 'alphabetic';
  for (let minute = 0; minute <= 5; minute++) {
    pen.textAlign = minute === 0 ? 'right' : minute === 5 ? 'left' : 'center';
    pen.fillText(minute ? `−${minute} min` : 'now', x(endMs - minute * 60000), page.height - 6);
  }
}

function drawCurve() {
  const page = sheet('curve');
  const curves = [[frame.total.longCurve, '--faint', 'five minutes'], [frame.total.minuteCurve, '--accent', 'last minute']];
  const points = curves.flatMap(([curve]) => curve.map(([, ns]) => ns)).filter(ns => ns > 0);
  if (!points.length) { nothing(page); return; }
  const minNs = 10 ** Math.floor(Math.log10(Math.min(...points)));
  const maxNs = 10 ** Math.ceil(Math.log10(Math.max(...points) + 1));
  const bottom = page.height - page.bottom;
  const y = ns => bottom - Math.log10(Math.max(ns, minNs) / minNs) / Math.log10(maxNs / minNs) * (bottom - page.top);
  const place = percentile => percentile === 100 ? 6 : Math.log10(100 / (100 - percentile));
  const x = percentile => page.left + place(percentile) / 6 * (page.width - page.left - page.right);
  const {pen} = page;
  decades(page, y, minNs, maxNs);
  pen.textBaseline = 'alphabetic';
  pen.textAlign = 'center';
  for (const percentile of [50, 90, 99, 99.9, 99.99, 99.999]) {
    pen.fillText(percentile, x(percentile), page.height - 6);
  }
  pen.textAlign = 'right';
  pen.fillText('max', page.width - page.right + 8, page.height - 6);
  curves.forEach(([curve, color, label], index) => {
    pen.strokeStyle = css(color);
    pen.fillStyle = css(color);
    pen.lineWidth = 2;
    pen.beginPath();
    curve.forEach(([percentile, ns]) => pen.lineTo(x(percentile), y(ns)));
    pen.stroke();
    pen.textAlign = 'left';
    pen.fillText(label, page.left + 10, page.top + 12 + 17 * index);
  });
}

function drawStages() {
  const page = sheet('stages');
  const bars = frame.models.flatMap(model => stages.map(stage => ({
    name: frame.models.length > 1 ? `${model.name} ${stage}` : stage, ...model.stages[stage].minute})))
    .filter(bar => bar.count);
  if (!bars.length) { nothing(page); return; }
  const {pen} = page;
  page.left = Math.min(page.width / 3, Math.max(...bars.map(bar => pen.measureText(bar.name).width)) + 12);
  const minNs = 100;
  const maxNs = 10 ** Math.ceil(Math.log10(Math.max(...bars.map(bar => bar.p99)) + 1));
  const x = ns => page.left + Math.log10(Math.max(ns, minNs) / minNs) / Math.log10(maxNs / minNs)
    * (page.width - page.left - page.right - 48);
  const step = (page.height - page.bottom - page.top) / bars.length;
  pen.textBaseline = 'middle';
  bars.forEach((bar, index) => {
    const y = page.top + index * step;
    const height = Math.min(step * 0.7, 34);
    pen.fillStyle = css('--second');
    pen.globalAlpha = 0.35;
    pen.fillRect(page.left, y, x(bar.p99) - page.left, height);
    pen.globalAlpha = 1;
    pen.fillRect(page.left, y, x(bar.p50) - page.left, height);
    pen.fillStyle = css('--ink');
    pen.textAlign = 'right';
    pen.fillText(bar.name, page.left - 8, y + height / 2);
    pen.textAlign = 'left';
    pen.fillText(micros(bar.p99), x(bar.p99) + 6, y + height / 2);
  });
  pen.fillStyle = css('--faint');
  pen.textBaseline = 'alphabetic';
  for (let ns = minNs; ns <= maxNs; ns *= 10) {
    pen.textAlign = ns === minNs ? 'left' : 'center';
    pen.fillText(axis(ns), x(ns), page.height - 6);
  }
}

/** A bar for what has a limit. */
function drawRoom() {
  const {facts, standing, counters} = frame;
  if (!facts || !standing) { return; }
  const value = name => counters[name] ? counters[name].value : 0;
  const free = value('journal-free-bytes');
  const rows = [
    ['unfinished requests', standing.unfinished, facts.ring],
    ['clients', frame.clientCount, facts.clients],
    ['sessions', value('sessions'), facts.sessions],
    ['generations', value('generations'), facts.generations]];
  const cells = rows.flatMap(([name, now, limit]) => {
    const label = Object.assign(document.createElement('span'), {textContent: name});
    const bar = Object.assign(document.createElement('progress'), {value: now, max: Math.max(1, limit)});
    const figures = Object.assign(document.createElement('span'), {
      textContent: `${count(now)} / ${count(limit)}`, className: limit && now >= 0.9 * limit ? 'warning' : ''});
    return [label, bar, figures];
  });
  const hits = counters['foreseen-hits'] ? counters['foreseen-hits'].perSecond : 0;
  const misses = counters['foreseen-misses'] ? counters['foreseen-misses'].perSecond : 0;
  const plain = [
    ['journal', `${bytes(standing.journalBytes)}, ${count(standing.rolled)} rolls`, ''],
    ['free', bytes(free), free && free < facts.warnFreeBytes ? 'warning' : ''],
    ['foreseen hits', hits + misses ? `${(100 * hits / (hits + misses)).toFixed(1)} %` : '–', ''],
    ...Object.entries(frame.threads).map(([name, of]) =>
      [`idle rounds of ${name}`, `p99 ${micros(of.minute.p99)} µs, max ${micros(of.minute.max)} µs`, ''])];
  plain.forEach(([name, words, className]) => cells.push(
    Object.assign(document.createElement('span'), {textContent: name}), document.createElement('span'),
    Object.assign(document.createElement('span'), {textContent: words, className})));
  at('room').replaceChildren(...cells);
}

function drawEvents() {
  at('events').replaceChildren(...frame.events.map(event => {
    const item = Object.assign(document.createElement('li'), {className: event.severity});
    item.append(Object.assign(document.createElement('time'), {textContent: time(event.ms)}), event.text);
    return item;
  }));
}

function draw() {
  drawHeat();
  if (!frame) { return; }
  const isLive = frame.status.code === 'LIVE';
  text('name', frame.name);
  document.title = `${frame.name || 'tiercel'} ${isLive ? '' : frame.status.code}`;
  text('status', frame.status.code);
  at('status').className = `badge ${isLive ? 'good' : 'critical'}`;
  at('status').title = frame.status.detail;
  const phase = frame.standing ? frame.standing.phase : '';
  text('phase', phase.replace('_', ' '));
  at('phase').className = `badge ${{serving: 'good', journal_failed: 'critical'}[phase] || 'warning'}`;
  text('about', (isLive ? '' : frame.status.detail + ' · ') + (frame.facts
    ? `up ${duration((frame.nowMs - frame.facts.startMs) / 1000)} · pid ${frame.facts.pid} · ${frame.facts.layout}` : '')
    + (frame.missed ? ` · ${count(frame.missed)} messages missed` : ''));
  const last = frame.total.last;
  text('rate', frame.standing ? rate(frame.standing.requestsPerSecond) : '–');
  for (const figure of ['p50', 'p99', 'p999', 'max']) { text(figure, micros(last[figure])); }
  const refused = ['frames-refused', 'shed', 'expired'].reduce(
    (sum, name) => sum + (frame.counters[name] ? frame.counters[name].perSecond : 0), 0);
  text('refused', rate(refused));
  at('refused-figure').className = refused ? 'warning' : '';
  drawCurve();
  drawStages();
  const rows = frame.models.flatMap(model => stages.map(stage => {
    const {last: now, minute} = model.stages[stage] || {last: {}, minute: {}};
    return [stage === 'total' ? model.alias : stage === 'journal' ? `${model.family}, ${model.backend}`
      : stage === 'queue' ? model.version.slice(0, 12) : stage === 'infer' ? model.share : '',
      stage, rate(now.perSecond || 0), micros(minute.p50), micros(minute.p99), micros(minute.p999), micros(minute.max)];
  }));
  fill('models', rows, index => stages[index % stages.length] === 'total' ? 'total' : '');
  drawRoom();
  text('client-count', `${count(frame.clientCount)} connected`);
  fill('clients', frame.clients.map(client => [client.principal, client.session, time(client.sinceMs)]));
  drawEvents();
  fill('counters', Object.entries(frame.counters).map(([name, of]) => [name, count(of.value), rate(of.perSecond)]));
}

function listen() {
  const live = new EventSource('live');
  live.addEventListener('history', event => {
    Object.assign(heat, JSON.parse(event.data));
    draw();
  });
  live.addEventListener('frame', event => {
    frame = JSON.parse(event.data);
    if (frame.column && (!heat.columns.length || heat.columns.at(-1).endMs < frame.column.endMs)) {
      heat.columns.push(frame.column);
      heat.columns = heat.columns.filter(column => column.endMs > frame.column.endMs - 300000);
    }
    draw();
  });
  live.onerror = () => {
    text('status', 'NO DESK');
    at('status').className = 'badge critical';
  };
}

at('theme').addEventListener('click', () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = isDark ? 'light' : 'dark';
  draw();
});
window.addEventListener('resize', draw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
listen();
