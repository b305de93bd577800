// Speaks with the plugin as the host does, and looks at what it has done.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const plugin = fileURLToPath(new URL('note_builds.mjs', import.meta.url));
let cwd;
beforeEach(() => { cwd = mkdtempSync(join(tmpdir(), 'plugin-')); });
afterEach(() => rmSync(cwd, { recursive: true }));

// What it answers when it is given settings and then an event of a build.
function answers(config, build, buildStatus) {
  const data = { build, buildStatus, url: `https://hydra.test/build/${build}` };
  const event = { id: `e:${build}`, data };
  const frames = [
    { id: 'i', method: 'initialize', params: { protocol_versions: [1], config } },
    { id: 'e', method: 'event', params: { delivery: { redelivered: false }, event } },
  ];
  const input = frames.map((frame) => `${JSON.stringify(frame)}\n`).join('');
  const { status, stdout } = spawnSync(process.execPath, [plugin], { cwd, input, encoding: 'utf8' });
  assert.equal(status, 0);
  return stdout.trim().split('\n').map((line) => JSON.parse(line));
}

test('a build is noted', () => {
  assert.deepEqual(answers({}, 7, 1)[1].result, {});
  assert.equal(readFileSync(join(cwd, 'received.log'), 'utf8'), 'e:7\t7\n');
});

test('a success may be skipped', () => {
  assert.equal(answers({ failures_only: true }, 8, 0)[1].result.status, 'skipped');
});

test('a wrong setting is named', () => {
  const { code, data } = answers({ failures_only: 'yes' }, 9, 1)[0].error;
  assert.equal(code, 422);
  assert.equal(data.errors[0].path, 'settings.failures_only');
});
