{{/*
CRC-32 (IEEE 802.3) of an ASCII text, in decimal: the check digits of an API key need it, and Helm has no such function nor exclusive or.
Works on half bytes, least significant first; the exclusive or of a and b is the character at 16a + b of $xor.
*/}}
{{- define "llm-api.crc32" -}}
{{- $xor := "0123456789abcdef1032547698badcfe23016745ab89efcd32107654ba98fedc45670123cdef89ab54761032dcfe98ba67452301efcdab8976543210fedcba9889abcdef0123456798badcfe10325476ab89efcd23016745ba98fedc32107654cdef89ab45670123dcfe98ba54761032efcdab8967452301fedcba9876543210" -}}
{{- $table := list "00000000" "46017bd1" "8c02e6b3" "ca039d62" "0914cd67" "4f15b6b6" "85162bd4" "c3175005" "02388bde" "4439f00f" "8e3a6d6d" "c83b16bc" "0b2c46b9" "4d2d3d68" "872ea00a" "c12fdbdb" -}}
{{- $value := dict "0" 0 "1" 1 "2" 2 "3" 3 "4" 4 "5" 5 "6" 6 "7" 7 "8" 8 "9" 9 "a" 10 "b" 11 "c" 12 "d" 13 "e" 14 "f" 15 -}}
{{- $crc := "ffffffff" -}}
{{- range $at := until (len .) -}}
{{- $byte := int (index $ $at) -}}
{{- range $half := list (mod $byte 16) (div $byte 16) -}}
{{- $row := index $table (get $value (include "llm-api.xor" (list $xor $value (substr 0 1 $crc) (printf "%x" $half)))) -}}
{{- $next := "" -}}
{{- range $digit := until 7 -}}
{{- $next = printf "%s%s" $next (include "llm-api.xor" (list $xor $value (substr (int (add $digit 1)) (int (add $digit 2)) $crc) (substr $digit (int (add $digit 1)) $row))) -}}
{{- end -}}
{{- $crc = printf "%s%s" $next (substr 7 8 $row) -}}
{{- end -}}
{{- end -}}
{{- $sum := 0 -}}
{{- range $digit := list 7 6 5 4 3 2 1 0 -}}
{{- $sum = add (mul $sum 16) (sub 15 (get $value (substr $digit (int (add $digit 1)) $crc))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{- define "llm-api.xor" -}}
{{- $xor := index . 0 -}}
{{- $value := index . 1 -}}
{{- $at := int (add (mul 16 (get $value (index . 2))) (get $value (index . 3))) -}}
{{- substr $at (int (add $at 1)) $xor -}}
{{- end -}}

{{/* A new API key as `postern token key` makes them: 190 random bits and six check digits. */}}
{{- define "llm-api.newKey" -}}
{{- $text := printf "pk-%s" (randAlphaNum 32) -}}
{{- $alphabet := "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" -}}
{{- $rest := include "llm-api.crc32" $text | int64 -}}
{{- $check := "" -}}
{{- range until 6 -}}
{{- $digit := int (mod $rest 62) -}}
{{- $check = printf "%s%s" (substr $digit (int (add $digit 1)) $alphabet) $check -}}
{{- $rest = div $rest 62 -}}
{{- end -}}
{{- $text }}{{ $check -}}
{{- end -}}
