#!/usr/bin/env node
// A plugin for Node with nothing but Node: logs each finished build, and keeps a list of
// what it handled.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

// What is printed is log: only `reply` writes to the wire.
globalThis.console = new console.Console(process.stderr);

let settings = { failures_only: false };
let secrets = {}; // What a real plugin signs in with. Never print one.

// Your code goes here. It returns the result, or throws; it may be async.
function handle({ id, data }, { redelivered }) {
  if (settings.failures_only && data.buildStatus === 0) {
    return { status: 'skipped', note: 'it succeeded' };
  }
  const line = `${id}\t${[data.build, ...(data.dependentIds ?? [])].join(' ')}\n`;
  const file = 'received.log';
  if (redelivered && existsSync(file) && readFileSync(file, 'utf8').includes(line)) return {};
  appendFileSync(file, line);
  console.log(`build ended with status ${data.buildStatus}: ${data.url}`);
  return {};
}

const fail = (code, message, data) => { throw Object.assign(new Error(message), { code, data }); };

function initialize({ protocol_versions: versions, config, secrets: given }) {
  if (!versions.includes(1)) fail(426, 'this plugin speaks version 1', { supported: [1] });
  settings = { ...settings, ...config };
  if (typeof settings.failures_only !== 'boolean') {
    const [path, message] = ['settings.failures_only', 'is not true or false'];
    fail(422, `${path}: ${message}`, { errors: [{ path, message }] });
  }
  secrets = given ?? {};
  console.log(`ready; token: ${secrets.token ? 'given' : 'none'}`);
  return { protocol_version: 1, name: 'note_builds', version: '1.0', events: ['build_finished'] };
}

const methods = new Map(Object.entries({
  initialize,
  event: ({ event, delivery }) => handle(event, delivery),
  shutdown: () => ({}),
}));

function reply(id, answer) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`);
}

async function read(line) {
  let frame = null;
  try {
    try { frame = JSON.parse(line); } catch { fail(-32700, 'this is no JSON'); }
    if (typeof frame?.method !== 'string') fail(-32600, 'this is no frame');
    const method = methods.get(frame.method) ?? (() => fail(-32601, 'no such method'));
    if (frame.id !== undefined) reply(frame.id, { result: await method(frame.params) });
  } catch ({ code, message, data }) {
    const error = { code: Number.isInteger(code) ? code : 500, message, data };
    reply(frame?.id ?? null, { error });
  }
}

// Not node:readline: for newer Nodes, U+2028 within a text ends the line.
let rest = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop();
  lines.filter((line) => line.trim()).forEach(read);
});
