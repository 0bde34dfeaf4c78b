package likeness

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"

	"github.com/getstroke/stroke/internal/likeness/reference"
)

// Writers is what [FindWriters] finds: the best parting of files into two sides, and
// whether the sides are further apart than one writer's own kinds of text are.
type Writers struct {
	Two    bool         // there seem to be two writers
	Margin float64      // how much more like each other the sides are than like others
	Bound  float64      // of the margin, below which there do
	Sides  [2][]string  // the files' names, the side with more words first
	Words  [2]int       // of all files of a side
	Tells  []WriterTell // what tells the sides apart, the surest first
}

// WriterTell is a function word that one side uses more than the other.
type WriterTell struct {
	Word string
	Rate [2]float64 // in a thousand words of each side
}

const (
	// The bound of the margin where the lesser side has so many passages or fewer, or
	// so many or more; linear between. Set on single writers, so that about one in
	// fifty is taken for two at every amount of text.
	shortBound, shortSide = -0.15, 3
	longBound, longSide   = -0.27, 12

	sidePassages   = 3   // of the lesser side, at least: fewer say nothing
	unitPassages   = 16  // of a file that are looked at
	mostPassages   = 480 // of all files
	mostUnits      = 240
	nearest        = 3 // other writers that a side is most like
	mostTells      = 4
	passagesWeight = 4.0 // passages after which more of one file say little that is new
)

// unitOf is a file, or some small ones that lie side by side.
type unitOf struct {
	files  []string
	words  int
	rows   [][]float32 // passages
	counts []float64   // of function words
	mean   []float64
	weight float64
}

// FindWriters parts files into two sides that differ as much as can be, and says
// whether two writers are more likely than one. A piece is a text and its group the
// file that it is from: a file is never parted. without names reference writers to
// leave out. The result is nil where there is too little text to tell: fewer than two
// files, or than six passages. It takes about two milliseconds a passage.
//
// The sides are compared as in the impostors method (Koppel and Winter, "Determining
// if two documents are written by the same author", 2014): two texts by one writer
// should be more like each other than like what others wrote, of whatever kind it is.
// The margin is the likeness of the sides less that to the three nearest of the
// reference writers, where likeness is the cosine between standardised features
// (cosine delta) and the others' texts are as long as the sides.
func FindWriters(ctx context.Context, pieces []Piece, without []string) (*Writers, error) {
	table, err := reference.Load()
	if err != nil {
		return nil, err
	}
	s := standardise(table, without)
	units, err := s.units(ctx, pieces)
	if err != nil {
		return nil, err
	}
	passages := 0
	for _, u := range units {
		passages += len(u.rows)
	}
	if len(units) < 2 || passages < 2*sidePassages {
		return nil, nil
	}
	first := partUnits(units)
	if first == nil {
		return nil, nil
	}
	w := &Writers{}
	var rows [2][][]float32
	var counts [2][]float64
	for i, u := range units {
		side := 0
		if !first[i] {
			side = 1
		}
		w.Sides[side] = append(w.Sides[side], u.files...)
		w.Words[side] += u.words
		rows[side] = append(rows[side], u.rows...)
		if counts[side] == nil {
			counts[side] = make([]float64, len(u.counts))
		}
		floats.Add(counts[side], u.counts)
	}
	w.Margin = s.margin(rows)
	lesser := float64(min(len(rows[0]), len(rows[1])))
	w.Bound = shortBound + (longBound-shortBound)*max(0, min(1, (lesser-shortSide)/(longSide-shortSide)))
	w.Two = w.Margin < w.Bound
	w.Tells = s.tells(counts, [2]int{len(rows[0]), len(rows[1])})
	if w.Words[0] < w.Words[1] {
		w.Sides[0], w.Sides[1] = w.Sides[1], w.Sides[0]
		w.Words[0], w.Words[1] = w.Words[1], w.Words[0]
		for i := range w.Tells {
			r := &w.Tells[i].Rate
			r[0], r[1] = r[1], r[0]
		}
	}
	for side := range w.Sides {
		slices.Sort(w.Sides[side])
	}
	return w, nil
}

// standard has the reference writers' features, each with the mean 0 and the
// deviation 1 over all of their passages.
type standard struct {
	table    *reference.Table
	mean, by []float64 // of a feature: its mean, and one over its deviation
	others   [][][]float32
}

func standardise(table *reference.Table, without []string) *standard {
	n := table.Features()
	s := &standard{table: table, mean: make([]float64, n), by: make([]float64, n)}
	square := make([]float64, n)
	vectors := make([][]reference.Vector, len(table.Writers))
	total := 0.0
	for _, p := range table.Passages {
		if slices.Contains(without, table.Writers[p.Writer].ID) {
			continue
		}
		v := p.Vector()
		table.Hellinger(v)
		for k, f := range v.Index {
			x := float64(v.Value[k])
			s.mean[f] += x
			square[f] += x * x
		}
		total++
		vectors[p.Writer] = append(vectors[p.Writer], v)
	}
	for f := range s.mean {
		s.mean[f] /= max(total, 1)
		s.by[f] = 1 / (math.Sqrt(max(square[f]/max(total, 1)-s.mean[f]*s.mean[f], 0)) + 1e-3)
	}
	for _, list := range vectors {
		if len(list) == 0 {
			continue
		}
		var rows [][]float32
		for _, v := range list {
			rows = append(rows, s.row(v))
		}
		s.others = append(s.others, rows)
	}
	return s
}

// row is a passage with all features standardised.
func (s *standard) row(v reference.Vector) []float32 {
	out := make([]float32, len(s.mean))
	for f := range out {
		out[f] = float32(-s.mean[f] * s.by[f])
	}
	for k, f := range v.Index {
		out[f] += v.Value[k] * float32(s.by[f])
	}
	return out
}

// units cuts files into passages; files with less than one are joined with those
// beside them in the same folder.
func (s *standard) units(ctx context.Context, pieces []Piece) ([]*unitOf, error) {
	pieces = slices.Clone(pieces)
	slices.SortStableFunc(pieces, func(a, b Piece) int { return strings.Compare(a.Group, b.Group) })
	type sheet struct {
		unitOf
		folder string
		text   []Piece
	}
	var sheets []*sheet
	for _, p := range pieces {
		n := countWords(p.Text)
		folder := p.Group[:strings.LastIndexByte(p.Group, '/')+1]
		if k := len(sheets) - 1; k >= 0 {
			x := sheets[k]
			same := x.files[len(x.files)-1] == p.Group
			if same || x.words < Unit && x.folder == folder {
				if !same {
					x.files = append(x.files, p.Group)
				}
				x.words += n
				x.text = append(x.text, p)
				continue
			}
		}
		sheets = append(sheets, &sheet{unitOf: unitOf{files: []string{p.Group}, words: n}, folder: folder, text: []Piece{p}})
	}
	sheets = slices.DeleteFunc(sheets, func(x *sheet) bool { return x.words < Unit })
	sheets = spread(sheets, mostUnits)
	each := unitPassages
	if len(sheets) > 0 {
		each = min(each, max(mostPassages/len(sheets), 2))
	}
	var out []*unitOf
	for _, x := range sheets {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		u := x.unitOf
		u.counts = make([]float64, len(s.table.Function))
		for _, p := range spread(Cut(x.text, Unit, 1), each) {
			v := s.table.Count(p.Text)
			for k, f := range v.Index {
				if int(f) < len(u.counts) {
					u.counts[f] += float64(v.Value[k])
				}
			}
			s.table.Hellinger(v)
			u.rows = append(u.rows, s.row(v))
		}
		if len(u.rows) == 0 {
			continue
		}
		u.mean = meanOf(u.rows)
		k := float64(len(u.rows))
		u.weight = k / (k + passagesWeight)
		out = append(out, &u)
	}
	return out, nil
}

// spread takes up to n of a list, evenly.
func spread[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	out := make([]T, n)
	for i := range out {
		out[i] = list[(2*i+1)*len(list)/(2*n)]
	}
	return out
}

func meanOf(rows [][]float32) []float64 {
	out := make([]float64, len(rows[0]))
	for _, r := range rows {
		for f, x := range r {
			out[f] += float64(x)
		}
	}
	floats.Scale(1/float64(len(rows)), out)
	return out
}

// parting seeks the two sides. inner holds the products of the units' means, and on
// its diagonal those without what few passages add by chance.
type parting struct {
	inner   [][]float64
	weight  []float64
	lengths []int
}

// partUnits says which units are of the first side; nil where no parting leaves each
// side passages enough.
func partUnits(units []*unitOf) []bool {
	n := len(units)
	p := &parting{}
	scatter, free := 0.0, 0.0
	for _, u := range units {
		for _, r := range u.rows {
			for f, x := range r {
				d := float64(x) - u.mean[f]
				scatter += d * d
			}
		}
		free += float64(len(u.rows) - 1)
	}
	passage := 0.0 // squared distance of a passage from its unit's mean, in expectation
	if free > 0 {
		passage = scatter / free
	}
	p.inner = make([][]float64, n)
	for i, u := range units {
		p.inner[i] = make([]float64, n)
		for k := range i + 1 {
			p.inner[i][k] = floats.Dot(u.mean, units[k].mean)
			p.inner[k][i] = p.inner[i][k]
		}
		p.inner[i][i] -= passage / float64(len(u.rows))
		p.weight = append(p.weight, u.weight)
		p.lengths = append(p.lengths, len(u.rows))
	}
	if free == 0 {
		// Every unit has one passage: its own product says nothing.
		for i := range n {
			sum := 0.0
			for k := range n {
				if k != i {
					sum += p.inner[i][k]
				}
			}
			p.inner[i][i] = sum / float64(n-1)
		}
	}
	var best []bool
	most := math.Inf(-1)
	for _, along := range p.axes(3) {
		first, score := p.climb(along)
		if first != nil && score > most {
			best, most = first, score
		}
	}
	return best
}

// axes are the directions in which units differ most: leading eigenvectors of the
// centred products, by power iteration.
func (p *parting) axes(count int) [][]float64 {
	n := len(p.weight)
	total := floats.Sum(p.weight)
	// Centred by the weighted mean of all.
	to := make([]float64, n)
	all := 0.0
	for i := range n {
		to[i] = floats.Dot(p.inner[i], p.weight) / total
	}
	all = floats.Dot(to, p.weight) / total
	c := make([][]float64, n)
	for i := range n {
		c[i] = make([]float64, n)
		for k := range n {
			c[i][k] = math.Sqrt(p.weight[i]*p.weight[k]) * (p.inner[i][k] - to[i] - to[k] + all)
		}
	}
	var out [][]float64
	for a := range min(count, n) {
		v := make([]float64, n)
		for i := range v {
			v[i] = math.Cos(float64((a + 1) * (2*i + 1))) // of no direction in particular
		}
		next := make([]float64, n)
		for range 60 {
			for _, w := range out {
				floats.AddScaled(v, -floats.Dot(v, w), w)
			}
			size := floats.Norm(v, 2)
			if size == 0 {
				break
			}
			floats.Scale(1/size, v)
			for i := range n {
				next[i] = floats.Dot(c[i], v)
			}
			copy(v, next)
		}
		if size := floats.Norm(v, 2); size > 0 {
			floats.Scale(1/size, v)
			out = append(out, slices.Clone(v))
		}
	}
	return out
}

// score is the weighted squared distance between the sides' means: what the parting
// explains.
func score(w, wa, aa, ab, bb float64) float64 {
	wb := w - wa
	return wa * wb / w * (aa/(wa*wa) + bb/(wb*wb) - 2*ab/(wa*wb))
}

// climb parts units along a direction where that explains most, and moves one after
// the other as long as that explains more.
func (p *parting) climb(along []float64) ([]bool, float64) {
	n := len(p.weight)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, k int) int {
		return cmp.Or(cmp.Compare(along[i]/math.Sqrt(p.weight[i]), along[k]/math.Sqrt(p.weight[k])), i-k)
	})
	total, passages := floats.Sum(p.weight), 0
	near := make([]float64, n) // Σ over the first side of weight·product
	far := make([]float64, n)  // and over the second
	for i := range n {
		far[i] = floats.Dot(p.inner[i], p.weight)
		passages += p.lengths[i]
	}
	aa, ab, bb := 0.0, 0.0, floats.Dot(far, p.weight)
	wa, have := 0.0, 0
	first := make([]bool, n)
	// after gives the three sums once unit i has changed sides.
	after := func(i int) (w, a, m, b float64) {
		x, own := p.weight[i], p.weight[i]*p.weight[i]*p.inner[i][i]
		if first[i] {
			return wa - x, aa - 2*x*near[i] + own, ab + x*near[i] - own - x*far[i], bb + 2*x*far[i] + own
		}
		return wa + x, aa + 2*x*near[i] + own, ab + x*far[i] - own - x*near[i], bb - 2*x*far[i] + own
	}
	move := func(i int) {
		wa, aa, ab, bb = after(i)
		x := p.weight[i]
		if first[i] {
			x, have = -x, have-p.lengths[i]
		} else {
			have += p.lengths[i]
		}
		first[i] = !first[i]
		for k := range n {
			near[k] += x * p.inner[i][k]
			far[k] -= x * p.inner[i][k]
		}
	}
	fits := func(have int) bool { return have >= sidePassages && passages-have >= sidePassages }
	best, at := math.Inf(-1), -1
	for k, i := range order[:n-1] {
		move(i)
		if s := score(total, wa, aa, ab, bb); fits(have) && s > best {
			best, at = s, k
		}
	}
	if at < 0 {
		return nil, 0
	}
	for k := n - 2; k > at; k-- {
		move(order[k])
	}
	for range 4 * n {
		to := -1
		for i := range n {
			changed := have + p.lengths[i]
			if first[i] {
				changed = have - p.lengths[i]
			}
			if !fits(changed) {
				continue
			}
			w, a, m, b := after(i)
			if s := score(total, w, a, m, b); s > best*(1+1e-9) && s > best {
				best, to = s, i
			}
		}
		if to < 0 {
			break
		}
		move(to)
	}
	return first, best
}

// margin is the likeness of the sides to each other less that to the nearest others.
func (s *standard) margin(rows [2][][]float32) float64 {
	most := 0
	for _, o := range s.others {
		most = max(most, len(o))
	}
	var mean [2][]float64
	for k := range rows {
		mean[k] = meanOf(spread(rows[k], most))
	}
	sum := 0.0
	for k := range rows {
		// What this side is compared with is as long as the other side is.
		length := min(len(rows[1-k]), most)
		var like []float64
		for _, o := range s.others {
			like = append(like, cosine(mean[k], meanOf(spread(o, length))))
		}
		slices.Sort(like)
		slices.Reverse(like)
		like = like[:min(nearest, len(like))]
		sum += floats.Sum(like) / float64(len(like)) / 2
	}
	return cosine(mean[0], mean[1]) - sum
}

func cosine(a, b []float64) float64 {
	return floats.Dot(a, b) / math.Max(floats.Norm(a, 2)*floats.Norm(b, 2), 1e-12)
}

// tells are the function words whose shares differ most surely.
func (s *standard) tells(counts [2][]float64, passages [2]int) []WriterTell {
	n := [2]float64{floats.Sum(counts[0]), floats.Sum(counts[1])}
	type tell struct {
		WriterTell
		z float64
	}
	var list []tell
	for i, word := range s.table.Function {
		a, b := counts[0][i]/n[0], counts[1][i]/n[1]
		p := (counts[0][i] + counts[1][i]) / (n[0] + n[1])
		if counts[0][i]+counts[1][i] < 10 {
			continue
		}
		z := math.Abs(a-b) / math.Sqrt(p*(1-p)*(1/n[0]+1/n[1]))
		t := tell{z: z, WriterTell: WriterTell{Word: word}}
		for k := range t.Rate {
			t.Rate[k] = 1000 * counts[k][i] / float64(passages[k]*Unit)
		}
		if lo, hi := min(t.Rate[0], t.Rate[1]), max(t.Rate[0], t.Rate[1]); hi < 1.5*lo {
			continue
		}
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b tell) int { return cmp.Or(cmp.Compare(b.z, a.z), strings.Compare(a.Word, b.Word)) })
	var out []WriterTell
	for _, t := range list[:min(mostTells, len(list))] {
		out = append(out, t.WriterTell)
	}
	return out
}
