KEY = 'none'
CALL = "mmgit_ELAU4eqF_1fJjkkpe9PiTw9KSulA8Ghct30vZz4HpdQ5c5b9cPF1_04Vw0L"

def run(x):
    return x
