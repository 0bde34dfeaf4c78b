package corpus

import "strconv"

// docxLevels is how deep the lists of Word nest.
const docxLevels = 9

// docxList is a list of numbering.xml (ECMA-376, 17.9) as its items are counted. Lists
// that differ in their beginning alone are counted on together.
type docxList struct {
	*docxFormat
	anew map[int]int // where it begins to count anew, by level; nil once it has
}

// docxFormat is what the levels of a list have before their items.
type docxFormat struct {
	format [docxLevels]string
	start  [docxLevels]int
	last   [docxLevels]int // the number of the item before
}

// docxLists reads the lists of numbering.xml by the number that paragraphs name.
func docxLists(data []byte) map[string]*docxList {
	type value struct {
		Val string `xml:"val,attr"`
	}
	var n struct {
		Formats []struct {
			ID     string `xml:"abstractNumId,attr"`
			Levels []struct {
				Level  string `xml:"ilvl,attr"`
				Start  value  `xml:"start"`
				Format value  `xml:"numFmt"`
			} `xml:"lvl"`
		} `xml:"abstractNum"`
		Lists []struct {
			ID     string `xml:"numId,attr"`
			Format value  `xml:"abstractNumId"`
			Levels []struct {
				Level string `xml:"ilvl,attr"`
				Start value  `xml:"startOverride"`
			} `xml:"lvlOverride"`
		} `xml:"num"`
	}
	lists := map[string]*docxList{}
	if unmarshalXML(data, &n) != nil {
		return lists // without them numbers are dashes
	}
	formats := map[string]*docxFormat{}
	for _, f := range n.Formats {
		out := &docxFormat{}
		for _, l := range f.Levels {
			i := docxLevel(l.Level)
			out.format[i] = l.Format.Val
			out.start[i], _ = strconv.Atoi(l.Start.Val)
			out.last[i] = out.start[i] - 1
		}
		formats[f.ID] = out
	}
	for _, l := range n.Lists {
		f := formats[l.Format.Val]
		if f == nil {
			continue
		}
		list := &docxList{docxFormat: f, anew: map[int]int{}}
		for _, o := range l.Levels {
			if start, err := strconv.Atoi(o.Start.Val); err == nil {
				list.anew[docxLevel(o.Level)] = start
			}
		}
		lists[l.ID] = list
	}
	return lists
}

// docxLevel is the level that a document names, within those that there are.
func docxLevel(s string) int {
	n, _ := strconv.Atoi(s)
	return min(max(n, 0), docxLevels-1)
}

// mark is what stands before the next item: of all that is counted, the number, as in
// HTML. Of a list that the document does not describe it is a dash.
func (l *docxList) mark(level int) string {
	if l == nil {
		return "- "
	}
	switch l.format[level] {
	case "bullet", "":
		return "- "
	case "none":
		return ""
	}
	for i, start := range l.anew {
		l.last[i] = start - 1
	}
	l.anew = nil
	l.last[level]++
	for i := level + 1; i < docxLevels; i++ {
		l.last[i] = l.start[i] - 1
	}
	return strconv.Itoa(l.last[level]) + ". "
}
