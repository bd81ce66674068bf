"""Speed against a named rival, measured in one run; no test asserts a time.

python -m benchmarks.dcgan_step      # the step against the plain Keras way
python -m benchmarks.fit_overhead    # a run with everything on against bare steps
python -m benchmarks.pipeline        # images/s of the pipeline against training
python -m benchmarks.exports         # images/s and size of exported generators
python -m benchmarks.data_scale      # data sets of ten thousand to a million images
python -m benchmarks.torch_step      # the step against PyTorch's; needs a Python with torch
python -m benchmarks.torch_samples   # and the samples after equal steps
python -m benchmarks.ceiling         # the share of what the machine can multiply
python -m benchmarks.profile_step    # where the time of a step goes
python -m benchmarks.strategy        # two replicas, and two workers, against one
python -m benchmarks.signal_to_noise  # of the gradients of IWAE and DReG, by the draws
python -m benchmarks.scores          # scores against torch-fidelity's and prdc's
"""
