// Package likeness measures on text how like a writer a twin writes: whether
// its passages are taken for the writer's ([Recogniser]), whether it has the
// writer's range or always writes the same sentence ([MeasureRange]), whether it
// repeats what it was trained on ([MeasureLeakage]), and what it keeps of a text that it
// rewrites ([Recogniser.MeasureRewriting]). [Pairs] makes minimal pairs by rules,
// for an engine to score: whether the twin finds the writer's own thought likelier
// than the same passage turned round. [Marker] shows people what in a text is the
// writer's.
//
// Nothing here needs a model. The caller brings texts as [Piece], each with the
// group that it stands or falls with, and gets figures with intervals over groups.
// A run looks like this:
//
//	train := likeness.Pieces(trainDocuments)
//	r, err := likeness.NewRecogniser(likeness.Known{Writer: train, Base: baseFromTrainOpenings, Seed: seed})
//	sides := likeness.Sides{Twin: twin, Base: base, Own: own}   // all from judge openings, openings cut off
//	how := likeness.Resampling{Seed: seed}
//	recognition := likeness.Recognise([]likeness.Asked{{By: r, Sides: sides}}, how) // 0 as the base, 1 as the writer
//	habits, err := likeness.MeasureRange(train, sides, likeness.Unit, how)
//	leakage := likeness.MeasureLeakage([]likeness.Part{{Train: train, Sides: sides}}, openings, how)
//	pairs, err := likeness.Pairs(wholeParagraphsOfJudgePieces, seed)
//
// Openings and lengths must be equal on all sides: cut an opening from a judge
// document with [Head], let twin and base write on from it until they have at
// least [Unit] words, cut both to one length with Head again, and take as the
// writer's side the [Tail] of the same document, cut likewise. The base's text
// that a recogniser learns from comes from other openings than those judged.
//
// Where several twins wrote, as those of the folds of a text that was cross-fitted,
// each has its part, with what it learnt from and with a recogniser of that; figures
// are over all parts.
//
// Everything is deterministic: same texts and seed, same figures, whatever the
// number of processors. docs/LIKENESS.md defines each measure and says how it can
// be fooled.
package likeness
