// Package library holds the genres that come with the program: their recipes,
// and below the name of each base the adapters that were made from them.
// docs/formats/genre.md says what a genre's folder has.
package library

import "embed"

// Files are recipes/NAME.toml and BASE/NAME/, read from the program's own file
// when they are asked for and not before.
//
//go:embed *
var Files embed.FS

// Recipes is the folder of recipes; every other folder is named by its base.
const Recipes = "recipes"
