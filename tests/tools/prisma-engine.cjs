#!/usr/bin/env node
// Prisma's schema engine as its command line starts it, for the one request that `migrate deploy` makes. The native
// program comes from a server of Prisma's; the same engine comes from npm as WebAssembly. What it asks its driver to run
// as a script is sent as one message, which is what the native program does with it.
const { createInterface } = require('node:readline');
const { readFileSync } = require('node:fs');

// `cli can-connect-to-database`
if (process.argv.includes('cli')) process.exit(0);

async function engine() {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const file = require.resolve('@prisma/schema-engine-wasm').replace(/schema_engine\.js$/, 'schema_engine_bg.wasm');
  const { instance } = await WebAssembly.instantiate(readFileSync(file), { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();

  const { PrismaPg } = require('@prisma/adapter-pg');
  const { bindMigrationAwareSqlAdapterFactory } = require('@prisma/driver-adapter-utils');
  const { PGHOST: host, PGUSER: user, PGDATABASE: database } = process.env;
  const factory = new PrismaPg({ host, user, database });
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    adapter.executeScript = async (script) => {
      await adapter.client.query(script).catch((error) => adapter.onError(error));
    };
    return adapter;
  };
  const datamodels = [['schema.prisma', 'datasource db {\n  provider = "postgresql"\n}\n']];
  return bindings.SchemaEngine.new({ datamodels }, () => {}, bindMigrationAwareSqlAdapterFactory(factory));
}

const started = engine();
createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params } = JSON.parse(line);
  const answer = { jsonrpc: '2.0', id };
  try {
    answer.result = await (await started)[method](params);
  } catch (error) {
    answer.error = { code: 4466, message: error.message, data: { is_panic: false, message: error.message } };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
