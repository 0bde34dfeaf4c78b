// Package base knows the open base models that twins are trained on: which
// there are, where they can be fetched, and where they lie on this machine.
//
// A [Store] answers three questions. Catalog: which bases are known, with
// size, licence, context, languages and shape. Locate: is this base here, and
// is it whole? Pull: fetch it, from the first source that answers.
//
// # Places
//
// Two places are read and written:
//
//   - Stroke's own cache, for what comes out of a Python package, a file or a
//     folder: $STROKE_HOME/bases where STROKE_HOME is set, otherwise
//     stroke/bases under the user's cache folder ($XDG_CACHE_HOME or ~/.cache
//     on Linux, ~/Library/Caches on macOS, %LocalAppData% on Windows). Each
//     base has a folder there, with its record in base.json: the files, their
//     sizes and SHA-256, and where they came from.
//   - The Hugging Face cache, for what comes from the hub, in the layout that
//     huggingface_hub and llama.cpp share (models--ORG--NAME with blobs, refs
//     and snapshots): $HF_HUB_CACHE, else $HF_HOME/hub, else
//     huggingface/hub under $XDG_CACHE_HOME or ~/.cache, on every system. What
//     another program fetched is found there, and the other way round. A
//     record in Stroke's own cache says which blob a base is.
//
// HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE mean here what they mean there.
//
// # Trust
//
// Nothing is used before its size and SHA-256 were checked. A pinned entry of
// the catalog names its hash; an unpinned one is pinned, when it is first
// fetched, to the hash that the hub states, and that hash is kept in the
// record: what has another is refused until --from asks for it. A file whose time of change differs from the record's is hashed
// again. What is being fetched lies under a name ending in .incomplete and is
// renamed when it is whole and on the disk.
//
// Cache layout: https://huggingface.co/docs/hub/local-cache. Index of Python
// packages: https://packaging.python.org/en/latest/specifications/simple-repository-api/.
package base
