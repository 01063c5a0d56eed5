def run(data):
    return {}
