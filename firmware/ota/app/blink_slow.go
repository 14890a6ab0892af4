//go:build tinygo && !v1_0_1 && !v1_1_0

package main

import "time"

const halfPeriod = 500 * time.Millisecond
