// The natural logarithm to the nearest double, by arithmetic of its own: the same bits on any
// machine and with any C library, as predictions are made of it.
//
// x = m * 2^e with m between √½ and √2; ln x = e ln 2 + 2 artanh((m - 1) / (m + 1)), the series of
// artanh in numbers of some 32 digits, rounded once at the end. (Only one in some 10^14 arguments
// lies so near to the middle of two doubles that 32 digits would not tell.)
//
// Threads: pure. Errors: NaN for NaN and for x <= 0; infinity for infinity.
#pragma once

namespace weir::model {

double natural_log(double x);

}  // namespace weir::model
