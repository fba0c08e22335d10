package main

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	apiservercel "k8s.io/apiserver/pkg/cel"
)

// text writes a value as tests/real/admission/expressions.txt does; the same is in src/cel/tests/table.rs.
func text(value ref.Val) string {
	switch value := value.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return strconv.FormatBool(bool(value))
	case types.Int:
		return strconv.FormatInt(int64(value), 10)
	case types.Uint:
		return strconv.FormatUint(uint64(value), 10) + "u"
	case types.Double:
		return double(float64(value))
	case types.String:
		return quoted(string(value))
	case types.Bytes:
		return fmt.Sprintf("bytes(%x)", []byte(value))
	case types.Duration:
		return fmt.Sprintf("duration(%s)", value.ConvertToType(types.StringType).Value())
	case types.Timestamp:
		return fmt.Sprintf("timestamp(%s)", value.ConvertToType(types.StringType).Value())
	case *types.Optional:
		if !value.HasValue() {
			return "none"
		}
		return "some(" + text(value.GetValue()) + ")"
	case *types.Type:
		return "type(" + value.TypeName() + ")"
	case apiservercel.IP:
		return "ip(" + value.Addr.String() + ")"
	case apiservercel.CIDR:
		return "cidr(" + value.Prefix.String() + ")"
	case *apiservercel.Quantity: // what add and sub give
		return text(*value)
	case apiservercel.Quantity:
		return "quantity(" + decimal(value.AsDec().String()) + ")"
	case apiservercel.Semver:
		return "semver(" + value.Version.String() + ")"
	case apiservercel.URL:
		return "url(" + value.URL.String() + ")"
	case *apiservercel.Format:
		return "format(" + value.Name + ")"
	case traits.Mapper:
		var entries []string
		for it := value.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			entries = append(entries, text(key)+": "+text(value.Get(key)))
		}
		sort.Strings(entries)
		return "{" + strings.Join(entries, ", ") + "}"
	case traits.Lister:
		var items []string
		for it := value.Iterator(); it.HasNext() == types.True; {
			items = append(items, text(it.Next()))
		}
		return "[" + strings.Join(items, ", ") + "]"
	default:
		return fmt.Sprintf("?(%T %v)", value, value)
	}
}

// double writes the shortest digits that read back, as Rust's `{:?}` does.
func double(value float64) string {
	size := math.Abs(value)
	switch {
	case math.IsNaN(value):
		return "NaN"
	case math.IsInf(value, 1):
		return "inf"
	case math.IsInf(value, -1):
		return "-inf"
	case size != 0 && (size < 1e-5 || size >= 1e16):
		digits, exponent, _ := strings.Cut(strconv.FormatFloat(value, 'e', -1, 64), "e")
		number, _ := strconv.Atoi(exponent)
		return digits + "e" + strconv.Itoa(number)
	}
	digits := strconv.FormatFloat(value, 'f', -1, 64)
	if !strings.Contains(digits, ".") {
		digits += ".0"
	}
	return digits
}

// decimal is a decimal number without zeros that say nothing.
func decimal(digits string) string {
	if strings.Contains(digits, ".") {
		digits = strings.TrimRight(strings.TrimRight(digits, "0"), ".")
	}
	return digits
}

func quoted(value string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, char := range value {
		switch {
		case char == '"' || char == '\\':
			out.WriteByte('\\')
			out.WriteRune(char)
		case char == '\n':
			out.WriteString("\\n")
		case char < ' ' || char == 0x7f:
			fmt.Fprintf(&out, "\\u{%x}", char)
		default:
			out.WriteRune(char)
		}
	}
	out.WriteByte('"')
	return out.String()
}
