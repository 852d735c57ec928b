// Runs the module of `cargo xtask portable`, which gets nothing to import: its `run` returns 0.
import { readFileSync } from "node:fs";

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const code = instance.exports.run();
console.log(`run() returned ${code}`);
process.exitCode = code === 0 ? 0 : 1;
