// Package web is a small web application over the history of runs: rigs and boards with
// their health, runs, one run, trends with change points, the comparison of any two runs,
// and the progress of a run that is under way. It changes nothing: every page is a GET, made
// on the server; without JavaScript all works but that progress moves by itself.
//
// Who may look is decided in one place, guard.go. A server on a loopback address is for who
// can log in on the machine; on any other it demands a token. A request whose Host is a name that was not
// configured is refused, so that no web site can reach the server through a visitor's browser
// by pointing its own name here (DNS rebinding). Pages load nothing from elsewhere (Content
// Security Policy Level 3), and the files of bundles, which hold what firmware said, are
// read below the folder of runs alone and shown without any rights.
//
// Progress follows "Server-sent events" of the HTML Living Standard, section 9.2; bearer tokens
// RFC 6750, section 2.1.
//
// Left out: TLS, users, anything that writes. A reverse proxy or ssh -L has the first two.
package web
