ARG PIP_TOKEN=abc
RUN pip install --index-url https://me:secret@pypi.example/simple tiny
