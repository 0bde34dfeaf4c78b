// Speed of llama.cpp as node-llama-cpp brings it, with the code for this very
// processor: one JSON line for each file.
//
//     node llama_cpp_native.mjs FILE.gguf… [--threads 2]
import {getLlama} from "node-llama-cpp";

const files = process.argv.slice(2).filter((a) => a.endsWith(".gguf"));
const threads = Number(process.argv[process.argv.indexOf("--threads") + 1]) || 2;
const llama = await getLlama({gpu: false, build: "never", logLevel: "error", maxThreads: threads});
for (const file of files) {
    const model = await llama.loadModel({modelPath: file, useMmap: true});
    const context = await model.createContext({contextSize: 1024, batchSize: 512, sequences: 1, threads, flashAttention: true});
    const sequence = context.getSequence();
    const ids = (n, seed) => Array.from({length: n}, (_, i) => 1000 + ((i * 7919 + seed * 104729) % 40000));
    let prefill = 0, decode = 0;
    for (let round = 0; round < 6; round++) {
        await sequence.clearHistory();
        let begin = performance.now();
        await sequence.controlledEvaluate([...ids(511, round), [ids(512, round)[511], {generateNext: {probabilities: false, token: true}}]]);
        if (round > 0) prefill = Math.max(prefill, 512 / ((performance.now() - begin) / 1000));
        await sequence.clearHistory();
        let n = 0;
        begin = 0;
        for await (const token of sequence.evaluate(ids(1, round), {temperature: 0, yieldEogToken: true})) {
            if (n === 0) begin = performance.now();
            if (n++ === 64) break;
        }
        if (round > 0) decode = Math.max(decode, 64 / ((performance.now() - begin) / 1000));
    }
    console.log(JSON.stringify({peer: "llama.cpp", by: "node-llama-cpp", file: file.split("/").pop(), threads, prefill_512: prefill, decode_64: decode, system: llama.systemInfo}));
    await context.dispose();
    await model.dispose();
}
