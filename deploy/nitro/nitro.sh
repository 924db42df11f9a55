# Not tested on hardware. Sourced by /start before the enclave: its ways out of a Nitro enclave, which are all vsock.
# The ports are those of the units in this folder.
bridge=/bridge
# The enclave's folder, which the parent keeps. What is in it is sealed; that it is the newest, only witnesses can say.
$bridge mount 5001 /var/lib/countersign/enclave /enclave || exit 1
$bridge from-vsock 5000 /tmp/api.sock &
$bridge to-vsock /tmp/kms.sock 5002 &
$bridge nsm /tmp/nsm.sock &
