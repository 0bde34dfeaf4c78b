// Package stroke gives a writer an AI twin: a LoRA adapter on a small open
// base model, trained on the writer's own machine from the writer's own text.
//
// The root package holds the types that all parts of the program share:
// documents, roles, errors and the events of a run.
package stroke
