package train

import "github.com/getstroke/stroke/internal/kernel"

// atOnce is how many pieces of an optimizer's work go between two pauses: a
// hundredth of a second or so for those of an adapter and of AdamW. Those of Adafactor
// are whole tensors and take longer; with fewer of them workers would stand still.
const atOnce = 64

// pauses runs the pieces of a task some at a time, with a pause before each of
// these parts; without one, all together.
type pauses struct {
	pause func()
	task  kernel.Task
	first int
}

func (p *pauses) run(n int, t kernel.Task) {
	if p.pause == nil {
		kernel.Run(n, t)
		return
	}
	p.task = t
	for p.first = 0; p.first < n; p.first += atOnce {
		p.pause()
		kernel.Run(min(atOnce, n-p.first), p)
	}
}

// Do does piece i of the part at hand.
func (p *pauses) Do(i, worker int) { p.task.Do(p.first+i, worker) }
