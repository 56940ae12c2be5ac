// Package testshared finds the folder `shared` that lies beside a developer's checkout: captures, vectors and
// configurations that may be read in tests but not carried into the repository. A stranger's clone does not have
// it, so tests over it are extra; our CI has it, so there a missing folder is a failure.
package testshared
